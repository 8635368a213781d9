"""Step `Restore` of Faultlayer-Rollback: which functions, in which order, until a whole pass finds nothing.

First the closed marks, then record and markers, then again: what a claim still managed to put on is found by the next pass.
"""

import json
from typing import Any

from faultlayer_documents.aws import Aws, OutOfTime, brief, code_of, settled
from faultlayer_documents.check import is_true, named
from faultlayer_documents.marker import RESTORE, parse_marker, variables
from faultlayer_documents.restore import Left, find_marker, move_revision, restore_alias, restore_function
from faultlayer_documents.store import CLOSED, Records, close, delete_parameters, parameters_under, sweep_marks

PASSES = 12
REPORT_LIMIT = 60_000


class NotRestored(Exception):
    """The text names every function that could not be restored."""


class Rollback:
    """One roll-back: its selection (names, one execution, or everything) and what became of each function."""

    def __init__(self, aws: Aws, names: list[str], execution: str, everything: bool) -> None:
        self.aws, self.names, self.execution, self.everything = aws, names, execution, everything
        self.closed: set[tuple[str, str]] = set()
        self.moved: set[tuple[str, str]] = set()
        self.outcomes: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self.changed: dict[str, list[str]] = {}
        self.records = Records(aws, execution)

    def close(self, execution: str, name: str) -> None:
        """Marks an execution closed; of a roll-back by name, for that function alone."""
        key = (execution, name if self.names else "")
        if key not in self.closed:
            close(self.aws, *key)
            self.closed.add(key)

    def marked(self) -> dict[str, str]:
        """Function → execution, of every marker in the account that this roll-back is about."""
        found = {}
        for config in self.aws.pages("list_functions", "Functions"):
            text = variables(config).get(RESTORE)
            if text is None:
                continue
            try:
                execution = parse_marker(text).execution
            except ValueError:
                execution = ""
            if self.everything or execution == self.execution:
                found[config["FunctionName"]] = execution
        return found

    def targets(self) -> list[str]:
        """The functions of one pass; marks their executions closed first."""
        if self.execution:
            self.close(self.execution, "")
        self.records = Records(self.aws, self.execution)
        found: dict[str, None] = dict.fromkeys(self.names)
        for execution, entries in self.records.entries.items():
            for name in entries:
                if not self.names or name in self.names:
                    self.close(execution, name)
                    found[name] = None
        if not self.names:
            for name, execution in self.marked().items():
                if execution:
                    self.close(execution, name)
                found[name] = None
        return list(found)

    def entry(self, execution: str, name: str) -> dict[str, Any] | None:
        return self.records.entries.get(execution, {}).get(name)

    def one(self, name: str) -> bool:
        """Does what is to be done to one function now. Whether there was anything."""
        try:
            return self.handle(name)
        except (Left, OutOfTime) as error:
            self.left[name] = str(error)
        except Exception as error:
            if code_of(error) == "ResourceNotFoundException":
                self.outcomes[name] = "gone"
                self.left.pop(name, None)
                return False
            self.left[name] = brief(error)
        return False

    def handle(self, name: str) -> bool:
        config = settled(self.aws, name)
        recorded = [execution for execution, entries in self.records.entries.items() if name in entries]
        executions = [self.execution] if self.execution else recorded
        marker = None
        for execution in executions or [""]:
            marker = marker or find_marker(config, self.entry(execution, name))
        self.left.pop(name, None)
        if marker and (not self.execution or marker.execution == self.execution):
            self.close(marker.execution, name)
            notes = restore_function(self.aws, name, marker, self.entry(marker.execution, name))
            self.outcomes[name] = "restored"
            if notes:
                self.changed[name] = list(dict.fromkeys(self.changed.get(name, []) + notes))
            return True
        self.outcomes.setdefault(name, "unchanged")
        if marker:
            return False
        done = False
        for execution in executions:
            entry = self.entry(execution, name)
            if not entry or (execution, name) in self.moved:
                continue
            recorded_marker = parse_marker(entry["m"])
            if recorded_marker.alias:
                restore_alias(self.aws, name, recorded_marker)
            if self.outcomes[name] != "restored":
                move_revision(self.aws, name, config)
                done = True
            self.moved.add((execution, name))
        return done

    def run(self) -> dict[str, Any]:
        """All passes; then the records that nothing needs any more go."""
        try:
            for _ in range(PASSES):
                left_before = dict(self.left)
                results = self.aws.each(self.one, self.targets())
                if not any(result is True for result in results.values()) and self.left.keys() <= left_before.keys():
                    break
            else:
                self.left.setdefault("(all)", f"something still attached after {PASSES} passes")
            if not self.left:
                self.forget()
        except OutOfTime:
            self.left.setdefault("(all)", "the script's time was over: roll back again")
        return self.report()

    def forget(self) -> None:
        """Deletes records whose functions are all done, and closed marks of yesterday."""
        for execution, entries in self.records.entries.items():
            rest = set(entries) - set(self.names) if self.names else set()
            if rest:
                path = CLOSED + execution + "/"
                rest -= {mark["Name"].removeprefix(path) for mark in parameters_under(self.aws, path)}
            if not rest:
                delete_parameters(self.aws, self.records.parameters[execution])
        sweep_marks(self.aws)

    def report(self) -> dict[str, Any]:
        """Outputs: counts, and as JSON text what is worth a word about single functions."""
        kinds = {kind: sorted(n for n, k in self.outcomes.items() if k == kind) for kind in ("restored", "unchanged", "gone")}
        restored = [name for name in kinds["restored"] if name not in self.left]
        value = {
            "restored": len(restored),
            "unchanged": len(kinds["unchanged"]),
            "gone": kinds["gone"],
            "left": self.left,
            "changed": self.changed,
        }
        text = json.dumps(value, separators=(",", ":"))
        if len(text) > REPORT_LIMIT:
            value["changed"] = {"(cut)": [f"{len(self.changed)} functions were changed by their owners"]}
            text = json.dumps(value, separators=(",", ":"))[:REPORT_LIMIT]
        print(text)
        # No output may be empty: Automation drops those, and what refers to them is not resolved.
        return {"Report": text, "Restored": len(restored), "Left": len(self.left), "Names": ", ".join(sorted(self.left))[:2000] or "none"}


def restore(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Ends well also where functions are left, so that the report is an output; step `Confirm` fails then."""
    aws = Aws()
    names, problems = named(aws, list(events.get("FunctionNames") or []))
    execution, everything = str(events.get("ExecutionId") or ""), is_true(events.get("AllMarked"))
    if problems:
        raise NotRestored("; ".join(problems))
    if bool(names) + bool(execution) + everything != 1:
        raise NotRestored("give one of `FunctionNames`, `ExecutionId` and `AllMarked`")
    return Rollback(aws, names, execution, everything).run()


def confirm(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """Step `Confirm`: fails, naming them, if functions are left."""
    if int(events["Left"]):
        raise NotRestored(f"{events['Left']} functions are not restored: {events['Names']}; see the report: {events['Report']}"[:4000])
    return {}
