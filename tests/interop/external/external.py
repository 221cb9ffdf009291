#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A program outside the tree: built with `pkg-config rill` against an installed Rill, shared and
static, with gcc and with clang, and run: it names net_tap among the drivers whose device it made.

    meson install --destdir TEMPORARY ─► rill.pc ─► cc program.c ─► run in a namespace, with a tap
"""
import glob
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import rig  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def install(folder):
    rig.run("meson", "install", "-C", rig.tool("RILL_BUILD"), "--no-rebuild", "--destdir", folder,
            timeout=120)
    found = glob.glob(f"{folder}/**/pkgconfig/rill.pc", recursive=True)
    rig.expect(len(found) == 1, f"rill.pc was installed {len(found)} times")
    # A build made before rill.pc was relocatable names the place where it will stand in the end.
    with open(found[0], "r+", encoding="utf-8") as file:
        text = file.read().replace("prefix=/", f"prefix={folder}/", 1)
        file.seek(0)
        file.write(text)
    return os.path.dirname(found[0])


def flags(pc_folder, *args):
    env = dict(os.environ, PKG_CONFIG_PATH=pc_folder)
    return rig.run("pkg-config", *args, "rill", env=env).split()


def build(compiler, output, cflags, libs):
    rig.run(compiler, "-O1", "-Wall", "-Werror", f"{HERE}/program.c", "-o", output, *cflags, *libs,
            timeout=120)


def expect_runs(program, library_folder):
    env = dict(os.environ, LD_LIBRARY_PATH=library_folder)
    text = rig.run(program, env=env, timeout=60)
    rig.expect("rill " in text and "driver net_tap\n" in text, f"{program} printed: {text}")
    print(os.path.basename(program), "runs:", " ".join(text.split()))


def expect_links(program, wanted):
    needed = rig.run("objdump", "-p", program)
    rig.expect(("librill.so.0" in needed) == wanted,
               f"{program}: needs librill.so.0: {'librill.so.0' in needed}, expected {wanted}")


def installed_headers_are_the_public_ones(folder):
    headers = {os.path.basename(path) for path in glob.glob(f"{folder}/**/include/**/*.h",
                                                            recursive=True)}
    source = os.path.join(HERE, "../../../stack/include/rill")
    rig.expect(headers == set(os.listdir(source)) - {"meson.build"}, f"installed: {headers}")


def test():
    with tempfile.TemporaryDirectory(prefix="rill-external-") as folder:
        pc_folder = install(folder)
        installed_headers_are_the_public_ones(folder)
        libraries = os.path.dirname(pc_folder)
        for compiler in ("gcc", "clang"):
            rig.expect(shutil.which(compiler), f"{compiler} is not installed")
            shared = f"{folder}/{compiler}-shared"
            build(compiler, shared, flags(pc_folder, "--cflags"), flags(pc_folder, "--libs"))
            expect_links(shared, True)
            expect_runs(shared, libraries)
            # The static library by its file's name, since a linker prefers the shared one.
            static = f"{folder}/{compiler}-static"
            build(compiler, static, flags(pc_folder, "--cflags"),
                  ["-l:librill.a" if flag == "-lrill" else flag
                   for flag in flags(pc_folder, "--static", "--libs")])
            expect_links(static, False)
            expect_runs(static, libraries)


rig.main(test)
