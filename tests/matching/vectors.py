#!/usr/bin/env python3
"""Holds the pinned vectors to both sides: Faultlayer's answer to all of them, the library's to all on which it is settled.

    vectors.py --library CLASSPATH -- COMMAND [ARGUMENT ...]

A vector with "library": "contradicts itself" is asked for with each combination of alternatives apart; one with "differs" is
among the differences that the matching module of core lists.
"""

import argparse
import json
import pathlib
import sys

from differential import answers, verdict

VECTORS = pathlib.Path(__file__).parent.parent / "vectors" / "matching.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    vectors = json.loads(VECTORS.read_text())
    lines = [json.dumps({"pattern": vector["pattern"], "event": vector["event"]}, ensure_ascii=False) for vector in vectors]
    library = ["java", "-XX:TieredStopAtLevel=1", "-cp", options.library, "Answers"]
    wrong = 0
    for vector, their, apart, our in zip(vectors, answers(library, lines), answers([*library, "--apart"], lines), answers(options.command, lines), strict=True):
        expected = "error" if isinstance(vector["expect"], dict) else json.dumps(vector["expect"])
        settled = {None: their, "contradicts itself": apart, "differs": expected}[vector.get("library")]
        if verdict(settled) != expected or verdict(our) != expected:
            wrong += 1
            print(f"{json.dumps(vector, ensure_ascii=False)}\n  library: {their}\n  apart:   {apart}\n  ours:    {our}")
    print(f"vectors: {len(vectors) - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
