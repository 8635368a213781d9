"""Step `Restore` of Faultlayer-Rollback: which functions, in which order, until a whole pass finds nothing.

First the closed marks, then record and markers, then again: what a claim still managed to put on is found by the next pass.
"""

import contextlib
import json
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from faultlayer_documents.aws import Aws, OutOfTime, brief, code_of, counted, pages, settled
from faultlayer_documents.change import account_of, layers_of
from faultlayer_documents.confirm import NotRestored
from faultlayer_documents.marker import RESTORE, Marker, origin, origin_of, unreadable, variables
from faultlayer_documents.names import LAYERS, disagreements, is_true, named
from faultlayer_documents.parse import parse_marker
from faultlayer_documents.source import put_source_back
from faultlayer_documents.store import below, borne_out, close, delete_parameters, parameters_under, records, stack_of, sweep_marks
from faultlayer_documents.undo import Known, Left, LeftForGood, alias_entry, find_marker, move_revision, restore_alias, restore_function

PASSES = 12
REPORT_LIMIT = 60_000


class Rollback:
    """One roll-back: its selection (names, one execution, or everything) and what became of each function."""

    def __init__(self, aws: Aws, stack: str, names: dict[str, list[str]], execution: str, everything: bool, layers: set[str]) -> None:
        self.aws, self.stack, self.execution, self.everything = aws, stack, execution, everything
        self.wanted, self.names = names, list(names)
        # Account and name of the stack's layers.
        self.layers = layers
        self.closed: set[str] = set()
        self.moved: set[tuple[str, str]] = set()
        self.outcomes: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self.for_good: set[str] = set()
        self.changed: dict[str, list[str]] = {}
        self.lock = threading.RLock()
        self.believed: dict[str, bool | None] = {}
        # The account's functions, once a pass has asked.
        self.there: set[str] | None = None
        self.records, self.strays = records(aws, stack, execution)

    def close(self, what: str) -> None:
        """Sets a closed mark, once."""
        if what not in self.closed:
            close(self.aws, self.stack, what)
            self.closed.add(what)

    def entry(self, execution: str, name: str) -> dict[str, Any] | None:
        """What an execution's record says of a function."""
        record = self.records.get(execution)
        return record.entries.get(name) if record else None

    def known(self, execution: str, name: str) -> Known:
        """The same, and whether that is borne out."""
        return Known(self.entry(execution, name), lambda: self.borne_out(execution))

    def borne_out(self, execution: str) -> bool | None:
        """Whether an execution's record is its own, or None; asked once a pass."""
        with self.lock:
            record = self.records.get(execution)
            if execution not in self.believed:
                try:
                    self.believed[execution] = record is not None and borne_out(self.aws, self.stack, execution, record)
                except Exception as error:
                    raise Left(f"execution `{execution}` cannot be asked whether its record is right: {brief(error)}") from None
            return self.believed[execution]

    def is_ours(self, marker: Marker, name: str, account: str) -> bool:
        """Whether this stack put that marker on. Its layer is the stack's, or a record of the stack says so."""
        if origin(marker, account) in self.layers:
            return True
        entry = self.entry(marker.execution, name)
        same = entry is not None and parse_marker(entry["m"]).layer == marker.layer
        return same and self.borne_out(marker.execution) is not False

    def is_foreign(self, marker: Marker, name: str) -> bool:
        """Whether a function is none of its marker's execution. Whose record does not name it."""
        with contextlib.suppress(Left):
            return not self.entry(marker.execution, name) and self.borne_out(marker.execution) is True
        return False

    def marked(self) -> list[str]:
        """The functions with a marker this roll-back is about."""
        found = []
        for config in pages(self.aws, "list_functions", "Functions"):
            text, name = variables(config).get(RESTORE), config["FunctionName"]
            try:
                marker = parse_marker(text) if text is not None else None
            except ValueError:
                found += [name] * self.everything
                continue
            if marker is None:
                # Where variables cannot be read, the layer says enough to ask for a word.
                ours = bool(self.layers & set(map(origin_of, layers_of(config))))
                found += [name] * (self.everything and bool(unreadable(config)) and ours)
            elif self.everything:
                found += [name] * (origin(marker, account_of(config)) in self.layers)
            elif marker.execution == self.execution:
                if self.is_foreign(marker, name):
                    self.changed[name] = [f"carries a marker of execution {marker.execution}, whose record does not name it"]
                else:
                    found.append(name)
        return found

    def targets(self) -> list[str]:
        """The functions of one pass. Their executions are marked closed first."""
        for what in [self.execution] if self.execution else ["all"] if self.everything else [f"function/{name}" for name in self.names]:
            self.close(what)
        self.records, self.strays = records(self.aws, self.stack, self.execution)
        self.believed, self.there = {}, None
        recorded = [name for record in self.records.values() for name in record.entries]
        return self.names or list(dict.fromkeys(recorded + self.marked()))

    def one(self, name: str) -> bool:
        """Does what is to be done to a function. Whether there was anything."""
        try:
            return self.handle(name)
        except (Left, OutOfTime) as error:
            self.left[name] = str(error)
            self.for_good |= {name} if isinstance(error, LeftForGood) else set()
        except Exception as error:
            if self.is_gone(error, name):
                self.missing(name)
                return False
            self.left[name] = brief(error)
        return False

    def is_gone(self, error: Exception, name: str) -> bool:
        """Whether a function is not there. Where the right to read it hangs on its tag, Lambda refuses and does not say so."""
        if "AccessDenied" not in code_of(error):
            return code_of(error) == "ResourceNotFoundException"
        with self.lock, contextlib.suppress(BotoCoreError, ClientError, OutOfTime):
            if self.there is None:
                self.there = {config["FunctionName"] for config in pages(self.aws, "list_functions", "Functions")}
            return name not in self.there
        return False

    def missing(self, name: str) -> None:
        """A function that is not there. Gone, if we knew it; a wrong name otherwise."""
        if name not in self.outcomes and not any(name in record.entries for record in self.records.values()):
            self.left[name] = "does not exist"
            return
        self.outcomes[name] = "gone"
        self.left.pop(name, None)

    def handle(self, name: str) -> bool:
        config = settled(self.aws, name)
        executions = [execution for execution, record in self.records.items() if name in record.entries]
        marker, lost = None, None
        for execution in executions or [""]:
            try:
                marker = marker or find_marker(config, self.known(execution, name))
            except Left as error:
                lost = error
        if lost and not marker:
            raise lost
        if name not in self.for_good:
            self.left.pop(name, None)
        wanted = marker is not None and (not self.execution or marker.execution == self.execution)
        if marker and wanted and not self.is_ours(marker, name, account_of(config)):
            wanted = False
            if not self.everything:
                raise Left(f"is attached with layer `{marker.layer}`, none of this stack's: use its own, or give the layer")
        if marker and wanted:
            notes = restore_function(self.aws, name, marker, self.known(marker.execution, name))
            self.outcomes[name] = "restored"
            if notes:
                self.changed[name] = list(dict.fromkeys(self.changed.get(name, []) + notes))
            return True
        self.outcomes.setdefault(name, "unchanged")
        if marker:
            return False
        done = False
        for execution in executions:
            known = self.known(execution, name)
            if not known.entry or (execution, name) in self.moved or self.borne_out(execution) is False:
                continue
            entry = alias_entry(parse_marker(known.entry["m"]), known)
            if entry:
                restore_alias(self.aws, name, entry)
            if self.outcomes[name] != "restored":
                move_revision(self.aws, name, config)
                done = True
            self.moved.add((execution, name))
        return done

    def verify(self) -> None:
        """Raises NotRestored for an ARN of a function elsewhere; a name that is nowhere is left."""

        def disagrees(name: str) -> list[str]:
            return disagreements(settled(self.aws, name), self.wanted[name])

        results = self.aws.each(disagrees, self.names)
        problems = [problem for result in results.values() if isinstance(result, list) for problem in result]
        if problems:
            raise NotRestored("nothing was changed; " + "; ".join(problems))
        for name, result in results.items():
            if isinstance(result, Exception) and self.is_gone(result, name):
                self.missing(name)
        self.names = [name for name in self.names if name not in self.left]

    def run(self) -> dict[str, Any]:
        """All passes; then the records that nothing needs any more go."""
        self.verify()
        wrong = dict(self.left)
        try:
            for _ in range(PASSES):
                if wrong and not self.names:
                    break
                left_before = dict(self.left)
                results = self.aws.each(self.one, self.targets())
                if not any(result is True for result in results.values()) and self.left.keys() <= left_before.keys():
                    break
            else:
                self.left.setdefault("(all)", f"something still attached after {PASSES} passes")
            self.forget(wrong)
            unread = self.strays + [name for record in self.records.values() for name in record.unread if self.wanted]
            self.left |= dict.fromkeys(unread, "is no record of Faultlayer's: look at it, and delete the parameter")
        except OutOfTime:
            self.left.setdefault("(all)", "the script's time was over: roll back again")
        return self.report()

    def forget(self, wrong: dict[str, str]) -> None:
        """Deletes records whose functions are all done. What was left of `wrong` names only has no record."""
        path = below(self.stack, "closed") + "function/"
        marks = parameters_under(self.aws, path) if self.wanted and self.records else []
        left = set(self.left) - set(wrong)
        done = {}
        for execution, record in self.records.items():
            # What cannot be read may name any of them.
            if left & set(record.entries) or (left and record.unread):
                continue
            # What was closed by name since the record was written cannot be attached any more.
            closed = {mark["Name"].removeprefix(path) for mark in marks if mark["LastModifiedDate"].timestamp() >= record.written}
            if not self.wanted or (record.entries and not record.unread and set(record.entries) <= closed):
                done[execution] = record.names
        kept = self.put_sources_back(set(done))
        for execution, names in done.items():
            if execution not in kept:
                delete_parameters(self.aws, names)

    def put_sources_back(self, done: set[str]) -> set[str]:
        """Puts back what a change wrote to a live plan's parameter. The executions of which that could not be done."""
        path, kept = below(self.stack, "source"), set()
        for note in parameters_under(self.aws, path):
            execution = note["Name"].removeprefix(path)
            forgotten = execution not in self.records and (self.everything or execution == self.execution)
            if execution not in done and not forgotten:
                continue
            try:
                said = put_source_back(self.aws, execution, note)
                self.changed |= {note["Name"]: [said]} if said else {}
            except Exception as error:
                self.left[note["Name"]] = f"the plan's source was not put back: {brief(error)}"
                kept.add(execution)
        return kept

    def report(self) -> dict[str, Any]:
        """Outputs. Counts, and as JSON text what is worth a word about single functions."""
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
            value["changed"] = {"(cut)": [f"{counted(len(self.changed), 'function')} changed by their owners"]}
            text = json.dumps(value, separators=(",", ":"))[:REPORT_LIMIT]
        print(text)
        # No output may be empty: Automation drops those, and what refers to them is not resolved.
        return {"Report": text, "Restored": len(restored), "Left": len(self.left), "Names": ", ".join(sorted(self.left))[:2000] or "none"}


def restore(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Ends well also where functions are left, so that the report is an output; step `Confirm` fails then."""
    aws, stack = Aws(), stack_of(events)
    names, problems = named(aws, list(events.get("FunctionNames") or []))
    execution, everything = str(events.get("ExecutionId") or ""), is_true(events.get("AllMarked"))
    if problems:
        raise NotRestored("nothing was changed; " + "; ".join(problems))
    if bool(names) + bool(execution) + everything != 1:
        raise NotRestored("give one of `FunctionNames`, `ExecutionId` and `AllMarked`")
    layers = {origin_of(str(events.get(key) or "")) for key in LAYERS.values()} - {""}
    result = Rollback(aws, stack, names, execution, everything, layers).run()
    with contextlib.suppress(OutOfTime):
        sweep_marks(aws, stack, is_true(events.get("DeleteMarks")) and not result["Left"])
    return result
