#!/usr/bin/env python3
"""Holds Faultlayer's matching to the real event-ruler.

    differential.py --library CLASSPATH [--seed N] [--pairs N] -- COMMAND [ARGUMENT ...]

COMMAND reads lines {"pattern": ..., "event": ...} and answers each with true, false or "error: ...", as `faultlayer plan
match` does. Both sides get the same pairs; every pair on which they disagree is shown, and any makes the run fail. What is
wrong with a pattern is said in other words on each side, so an error only has to be an error.

The library's automata have defects: what several alternatives of one field share can make it answer something else than each
alternative does by itself, even something else each time. So where the two sides disagree the library is asked again for
each combination of alternatives apart (see Answers.java). That answer counts; how often it was needed is shown, and bounded.
"""

import argparse
import collections
import subprocess
import sys
import tempfile

from generate import Generator


def answers(command, lines):
    with tempfile.TemporaryFile() as file:
        file.write("\n".join(lines).encode() + b"\n")
        file.seek(0)
        done = subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().removesuffix("\n").split("\n")


def verdict(answer):
    return answer.split(":")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, help="the class path with the driver and the library")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--show", action="store_true", help="show the pairs on which the library contradicts itself, too")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    generator = Generator(options.seed)
    lines = [generator.pair() for _ in range(options.pairs)]
    library = ["java", "-XX:TieredStopAtLevel=1", "-cp", options.library, "Answers"]
    theirs = answers(library, lines)
    ours = answers(options.command, lines)
    if not len(lines) == len(theirs) == len(ours):
        sys.exit(f"{len(lines)} pairs, but {len(theirs)} answers of the library and {len(ours)} of ours")
    first = [pair for pair in zip(lines, theirs, ours, strict=True) if verdict(pair[1]) != verdict(pair[2])]
    apart = answers([*library, "--apart"], [line for line, _, _ in first]) if first else []
    disagreements = [(*pair, by_itself) for pair, by_itself in zip(first, apart, strict=True) if verdict(by_itself) != verdict(pair[2])]
    for line, their, our, by_itself in disagreements[:20]:
        print(f"{line}\n  library: {their}\n  apart:   {by_itself}\n  ours:    {our}")
    if options.show:
        for pair in first:
            print("{}\n  library: {}\n  ours:    {}".format(*pair))
    counts = collections.Counter(map(verdict, theirs))
    print(
        f"seed {options.seed}: {options.pairs} pairs ({', '.join(f'{count} {name}' for name, count in counts.most_common())}), "
        f"{len(first) - len(disagreements)} on which the library contradicts itself"
    )
    print(f"pairs: {options.pairs - len(disagreements)} passed, {len(disagreements)} failed")
    # A generator that no longer collides would agree about nothing worth knowing.
    if min(counts["true"], counts["false"], counts["error"]) < options.pairs // 50:
        sys.exit("too few pairs of one verdict: the generator is out of balance")
    if len(first) > options.pairs // 1000 + 3:
        sys.exit("the library contradicts itself too often for an accident")
    sys.exit(1 if disagreements else 0)


if __name__ == "__main__":
    main()
