# SPDX-License-Identifier: BSD-3-Clause
# Plots goodput.tsv: gnuplot -e "table='goodput.tsv'; out='goodput.svg'" goodput.gp
# A panel for each RTT: goodput over loss, one flow, queue of one bandwidth-delay product; points are
# what the simulator measured, lines what theory says. The last panel: fairness of ten flows over RTT.
set terminal svg size 1000,800 background "white" font "sans,12"
set output out
set datafile separator "\t"
set key bottom left
set multiplot layout 2,2
algorithms = system(sprintf("grep -v '^#' '%s' | cut -f1 | grep -v '^cc$' | uniq | sort -u", table))
set xlabel "loss [%]"
set ylabel "goodput [Mbit/s]"
set yrange [0.1:120]
set logscale y
set xrange [-0.2:3.2]
points(cc, rtt, column) = sprintf("<awk -F'\t' '$1 == \"%s\" && $2 == %d && $4 == 1 && $5 == 1 {print $3 \"\t\" $%d}' '%s'", cc, rtt, column, table)
do for [rtt in "1 20 100"] {
	set title sprintf("RTT %s ms", rtt)
	plot for [i=1:words(algorithms)] points(word(algorithms, i), int(rtt), 7) with lines lc i notitle, \
		for [i=1:words(algorithms)] points(word(algorithms, i), int(rtt), 6) with points pt 7 lc i \
		title word(algorithms, i)
}
set title "fairness of ten flows (Jain)"
unset logscale y
set logscale x
set xlabel "RTT [ms]"
set ylabel "index"
set xrange [0.8:120]
set yrange [0:1.05]
fairness(cc) = sprintf("<awk -F'\t' '$1 == \"%s\" && $5 == 10 {print $2 \"\t\" $9}' '%s'", cc, table)
plot for [i=1:words(algorithms)] fairness(word(algorithms, i)) with linespoints pt 7 lc i \
	title word(algorithms, i)
unset multiplot
