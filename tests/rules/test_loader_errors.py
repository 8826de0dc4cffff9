"""What the loader refuses: every case names the line (marked `#!`) and words of the message."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rules.errors import PackError, Problem
from rules.language import load_pack
from tests.rules.packing import EVIDENCE, FACTS, HEAD, PARAMETERS, RULE, rules_text, write_pack

# ---------------------------------------------------------------- statements
# The text of a rule, a condition or a value is put into a statement that is otherwise right.

CONDITIONS = {
    "kind": ("sightng S: {}", "unknown kind 'sightng'; did you mean 'sighting'?"),
    "property": ("sighting S: {visib: visible}", "unknown property of 'sighting' 'visib'; did you mean 'vis'?"),
    "code": ("sighting S: {vis: visibel}", "'visibel' is not a value of 'vis'"),
    "code suggestion": ("sighting S: {vis: visibel}", "did you mean 'visible'?"),
    "code case": ("sighting S: {vis: Visible}", "did you mean 'visible'?"),
    "code in list": ("sighting S: {vis: [visible, lost]}", "'lost' is not a value of 'vis'"),
    "code not in": ('sighting S: {vis: "not in [lost]"}', "'lost' is not a value of 'vis'"),
    "code unequal": ('sighting S: {vis: "!= lost"}', "'lost' is not a value of 'vis'"),
    "yesno": ("sighting S: {sure: maybe}", "'maybe' is not a value of 'sure'"),
    "yesno true": ("sighting S: {sure: true}", "'true' unquoted is a truth value"),
    "code on": ("sighting S: {vis: on}", "'on' unquoted is a truth value in YAML; quote it"),
    "code no": ("sighting S: {vis: no}", "'no' unquoted is a truth value"),
    "code null": ("sighting S: {vis: ~}", "unquoted is nothing (null)"),
    "id number": ("sighting S: {exam: 12}", "'12' unquoted is a number"),
    "id date": ("sighting S: {exam: 2026-01-01}", "'2026-01-01' unquoted is a date"),
    "id octal": ("sighting S: {exam: 0x1F}", "unquoted is a number"),
    "id sexagesimal": ("sighting S: {exam: 12:30}", "unquoted is a number"),
    "id exponent": ("sighting S: {exam: 1e3}", "unquoted is a number"),
    "id empty": ('sighting S: {exam: ""}', "is empty"),
    "number exponent": ("sighting S: {mm: 1e3}", "write the number without an exponent"),
    "number places": ("sighting S: {mm: 0.1234567}", "more than 6 decimal places"),
    "number large": ("sighting S: {mm: 1000000000}", "is not below"),
    "number quoted": ('sighting S: {mm: "5"}', "is quoted; write the number without quotes"),
    "number word": ("sighting S: {mm: five}", "'five' is not a number"),
    "int part": ("sighting S: {slices: 1.5}", "is an int; '1.5' is not whole"),
    "date not a day": ("sighting S: {day: 2026-02-30}", "is not a calendar date"),
    "date word": ("sighting S: {day: today}", "is not a calendar date"),
    "date time": ("sighting S: {day: 2026-02-03T10:00}", "is not a calendar date"),
    "compare date with number": ('sighting S: {day: "> 5"}', "is a date; '5' is not"),
    "compare date with decimal parameter": ('sighting S: {day: "> $ratio"}', "is a date, '$ratio' is a decimal"),
    "compare number with date": ('sighting S: {mm: "> 2026-01-01"}', "is a decimal, '2026-01-01' is a date"),
    "order of codes": ('sighting S: {vis: "> gone"}', "'>' is for numbers and dates"),
    "order of ids": ('sighting S: {exam: "<= a"}', "'<=' is for numbers and dates"),
    "operator ==": ('sighting S: {mm: "== 5"}', "unknown operator '=='"),
    "operator == meant": ('sighting S: {mm: "== 5"}', "did you mean '='?"),
    "operator <>": ('sighting S: {mm: "<> 5"}', "did you mean '!='?"),
    "operator =<": ('sighting S: {mm: "=< 5"}', "did you mean '<='?"),
    "operator =>": ('sighting S: {mm: "=> 5"}', "did you mean '>='?"),
    "operator alone": ('sighting S: {mm: ">"}', "a value is missing after the operator"),
    "operator half": ('sighting S: {mm: "> 5 and 10"}', "'10' needs an operator"),
    "equals a word": ("sighting S: {vis: = visible}", "after '=' comes Alias.property"),
    "parameter": ('sighting S: {mm: "> $wndow"}', "unknown parameter 'wndow'; did you mean 'window'?"),
    "alias": ('sighting S: {mm: "> L.base"}', "unknown alias 'L'"),
    "own property": ('sighting S: {mm: "> own.nw"}', "unknown property of 'sighting' 'nw'; did you mean 'now'?"),
    "own itself": ('sighting S: {mm: "> own.mm"}', "is compared with itself"),
    "own itself text": ('sighting S: {exam: "!= own.exam"}', "is compared with itself"),
    "own text and number": ('sighting S: {exam: "= own.mm"}', "is an id, own.mm is a decimal"),
    "two properties": ('sighting S: {mm: "> own.now + own.slices"}', "names two properties"),
    "product of properties": ('sighting S: {mm: "> own.now * own.slices"}', "multiplies two properties"),
    "factor not a ratio": ('sighting S: {mm: "> 0.12345 * own.now"}', "not a ratio of whole numbers up to 1000"),
    "factor too large": ('sighting S: {mm: "> 2000 * own.now"}', "not a ratio of whole numbers up to 1000"),
    "factor nought": ('sighting S: {mm: "> 0 * own.now"}', "is 0"),
    "factor on a date": ('sighting S: {day: "> 2 * own.day"}', "neither a date and days"),
    "part of a day": ('sighting S: {day: "> own.day + 0.5"}', "adds a part of a day"),
    "sum ends": ('sighting S: {mm: "> 2 *"}', "cannot read '2 *'"),
    "sum twice": ('sighting S: {mm: "> 2 + + 3"}', "cannot read"),
    "sum characters": ('sighting S: {mm: "> 2 / 3"}', "cannot read '/ 3'"),
    "sum bracket": ('sighting S: {mm: "> (2)"}', "cannot read '(2)'"),
    "sum too long": ('sighting S: {mm: "> 0.0000001"}', "more than 6 decimal places"),
    "text calculated": ('sighting S: {mm: "> 2 * own.exam"}', "calculates with a text"),
    "present required": ("sighting S: {id: present}", "is required, so it is always stated"),
    "list empty": ("sighting S: {vis: []}", "the list is empty"),
    "list twice": ("sighting S: {vis: [gone, gone]}", "'gone' is listed twice"),
    "list without brackets": ('sighting S: {exam: "in a, b"}', "write the list as 'in [a, b]'"),
    "test a mapping": ("sighting S: {mm: {a: b}}", "must be a text or a list"),
    "tests a list": ("sighting S: [vis, gone]", "must be a mapping"),
    "head": ("sighting S T: {}", "must be 'kind Alias'"),
    "alias reserved": ("sighting own: {}", "'own' is a reserved word"),
    "alias min": ("sighting min: {}", "'min' is a reserved word"),
    "finding property": ("finding F: {subjekt: x}", "did you mean 'subject'?"),
    "finding rule": ("finding F: {rule: BASIS}", "unknown rule 'BASIS'"),
    "finding not made": ("finding F: {rule: T}", "makes no findings"),
    "finding conclusion": ("finding F: {conclusion: lost}", "no finding has the conclusion 'lost'"),
    "finding family": ("finding F: {family: F99}", "no finding has the family 'F99'"),
    "finding indicator": ("finding F: {indicator: urgent}", "no finding has the indicator 'urgent'"),
    "anchor": ("sighting S: {mm: &a 5}", "an anchor (&a) is not allowed"),
    "alias of YAML": ("sighting S: {mm: *a}", "an alias (*a) is not allowed"),
    "tag": ("sighting S: {vis: !gone x}", "a YAML tag (!gone) is not allowed"),
    "unquoted unequal": ("sighting S: {vis: != gone}", "quote it if it is a test"),
    "doubled key": ("sighting S: {mm: 5, mm: 6}", "the key 'mm' occurs twice"),
    "never given": ("single O: {}", "no statement gives 'single', and it is not an input"),
}  # fmt: skip

SECOND = {
    "no equality": ("sighting S: {}", "needs an equality with an earlier alias (L)"),
    "only an order": ('sighting S: {mm: "> L.base"}', "needs an equality with an earlier alias"),
    "equality with a constant": ("sighting S: {vis: gone}", "needs an equality with an earlier alias"),
    "equality with own": ("sighting S: {grade: = own.vis}", "needs an equality with an earlier alias"),
    "alias twice": ("sighting L: {lesion: = L.id}", "the alias 'L' is bound twice"),
    "alias unknown": ("sighting S: {lesion: = M.id}", "unknown alias 'M'; known: L, own"),
    "property unknown": ("sighting S: {lesion: = L.idd}", "unknown property of 'lesion' 'idd'; did you mean 'id'?"),
    "type differs": ('sighting S: {lesion: = L.id, mm: "> L.id"}', "is a decimal, 'L.id' is an id"),
    "finding joined": ("finding F: {conclusion: x}", "no finding has the conclusion 'x'"),
}  # fmt: skip

VALUES = {
    "kind": ("{outt: {lesion: = S.lesion}}", "unknown kind 'outt'; did you mean 'out'?"),
    "property": ("{out: {lesion: = S.lesion, mn: 1}}", "unknown property of 'out' 'mn'"),
    "required": ("{out: {mm: 1}}", "'out' is given without its required property 'lesion'"),
    "required and absent": ("{out: {lesion: = S.exam}}", "S.exam may be absent; test 'exam: present' first"),
    "unique": ("{single: {mm: 1}}", "without 'lesion', by which it is unique"),
    "input": ("{lesion: {id: = S.lesion}}", "kind 'lesion' is an input; a statement cannot give it"),
    "finding": ("{finding: {rule: x}}", "write 'conclusion:'"),
    "alias": ("{out: {lesion: = L.lesion}}", "unknown alias 'L'"),
    "parameter": ("{out: {lesion: = S.lesion, mm: $rati}}", "unknown parameter 'rati'; did you mean 'ratio'?"),
    "type text": ("{out: {lesion: = S.lesion, mm: = S.exam}}", "'out.mm' is a decimal, the value is an id"),
    "type decimal": ("{out: {lesion: = S.lesion, n: = S.mm}}", "'out.n' is an int, the value is a decimal"),
    "type date": ("{out: {lesion: = S.lesion, day: = S.mm}}", "'out.day' is a date, the value is a decimal"),
    "type int of ratio": ("{out: {lesion: = S.lesion, n: = 0.5 * S.slices}}", "'out.n' is an int"),
    "literal": ("{out: {lesion: = S.lesion, mm: much}}", "'much' is not a number"),
    "code": ("{out: {lesion: = S.lesion, vis: seen}}", "'seen' is not a value of 'vis'"),
    "code of another": ("{out: {lesion: = S.lesion, vis: = S.grade}}", "may be 'doubtful', which 'out.vis' cannot"),
    "code of an id": ("{out: {lesion: = S.lesion, vis: = S.exam}}", "may be any text"),
    "date sum": ("{out: {lesion: = S.lesion, day: = S.day + S.day}}", "neither a date and days"),
    "date of date": ("{out: {lesion: = S.lesion, day: = S.day - S.day}}", "'out.day' is a date, the value is an int"),
    "date constant": ("{out: {lesion: = S.lesion, day: = S.day - 2026-01-01}}", "a date can only stand alone"),
    "aggregate": ("{out: {lesion: = S.lesion, mm: min S.mm}}", "needs a 'from'"),
    "list": ("{out: {lesion: = S.lesion, mm: [1]}}", "must be one value"),
    "not a mapping": ("[out]", "'then' must be a mapping"),
    "fact not a mapping": ("{out: 5}", "'out' of 'then' must be a mapping"),
    "trap": ("{out: {lesion: no}}", "'no' unquoted is a truth value"),
}  # fmt: skip

BASE = (
    "- id: BASE\n  title: t\n  stratum: 1\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
)
TESTED = (
    "- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
)
STATEMENTS = {
    "key": ("- id: T\n  title: t\n  stratum: 9\n  whn: []  #!\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
            "unknown key of a rule 'whn'; did you mean 'when'?"),
    "no id": ("- title: t  #!\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}", "lacks 'id'"),
    "no title": ("- id: T  #!\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}", "lacks 'title'"),
    "no stratum": ("- id: T  #!\n  title: t\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}", "lacks 'stratum'"),
    "stratum": ("- id: T\n  title: t\n  stratum: high  #!\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
                "'stratum' must be a whole number"),
    "stratum negative": ("- id: T\n  title: t\n  stratum: -1  #!\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
                         "'stratum' must be a whole number"),
    "status": ("- id: T\n  title: t\n  stratum: 9\n  status: live  #!\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
               "'status' 'live' is not one of active, shadow, off"),
    "no when": ("- id: T  #!\n  title: t\n  stratum: 9\n  then: {out: {lesion: x}}", "a rule needs 'when'"),
    "no conclusion": ("- id: T  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]", "has neither 'then' nor 'conclusion'"),
    "when a mapping": ("- id: T\n  title: t\n  stratum: 9\n  when:\n    sighting S: {}  #!\n  then: {out: {lesion: x}}",
                       "'when' must be a list: write '- sighting S"),
    "two in one": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}, lesion L: {}}]  #!\n  then: {out: {lesion: x}}",
                   "must have exactly one key"),
    "two ids": ("- id: BASE  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
                "two statements have the id 'BASE'"),
    "not a mapping": ("- T  #!", "a statement must be a mapping"),
    "id characters": ("- id: a b  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}",
                      "must be letters, digits"),
    "seven aliases": ("- id: T\n  title: t\n  stratum: 9\n  when:\n    - sighting A: {}  #!\n"
                      + "".join(f"    - sighting {a}: {{lesion: = A.lesion}}\n" for a in "BCDEFG")
                      + "  then: {out: {lesion: = A.lesion}}", "more than 6 aliases"),
    "finding without conclusion": ("- id: T  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  indicator: info\n  hooks: [all]",
                                   "keys of a finding but no 'conclusion'"),
    "no indicator": ("- id: T  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  hooks: [all]",
                     "no 'indicator'"),
    "no hooks": ("- id: T  #!\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info", "no 'hooks'"),
    "indicator": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: red  #!\n  hooks: [all]",
                  "'indicator' 'red' is not one of info, warning, critical"),
    "display": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  display: popup  #!\n  hooks: [all]",
                "'display' 'popup' is not one of card, row"),
    "family": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  family: F13  #!\n  hooks: [all]",
               "'family' 'F13' is not one of"),
    "hooks": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: []  #!",
              "'hooks' must be a list"),
    "hooks all": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all, x]  #!",
                  "names 'all' beside others"),
    "subject constant": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all]\n  subject: L1  #!",
                         "must be '= Alias.property'"),
    "subject absent": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all]\n  subject: = S.exam  #!",
                       "'subject' may be absent"),
    "subject number": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all]\n  subject: = S.mm  #!",
                       "of an id"),
    "say": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all]\n  say: {a: = S.mmm}  #!",
            "unknown property of 'sighting' 'mmm'"),
    "evidence": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  evidence_for: [E3]  #!",
                 "unknown evidence id 'E3'"),
    "evidence beside none": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  evidence_for: [E1, none-found]  #!",
                             "stands beside other evidence"),
    "stratum order": ("- id: T\n  title: t\n  stratum: 1\n  when: [{out O: {}}]  #!\n  then: {single: {lesion: = O.lesion}}",
                      "reads 'out', which 'BASE' gives in stratum 1"),
    "reads itself": ("- id: T\n  title: t\n  stratum: 9\n  when: [{single O: {}}]  #!\n  then: {single: {lesion: = O.lesion}}",
                     "reads 'single', which 'T' gives in stratum 9"),
    "finding stratum": (("- id: T\n  title: t\n  stratum: 3\n  when: [{sighting S: {}}]\n  conclusion: c\n  indicator: info\n  hooks: [all]\n"
                        "- id: U\n  title: u\n  stratum: 3\n  when: [{finding F: {rule: T}}]  #!\n  then: {out: {lesion: x}}"),
                        "reads its findings, which 'T' gives in stratum 3"),
    "finding case": (("- id: T\n  title: t\n  stratum: 3\n  each: lesion L\n  conclusion: c\n  indicator: info\n  hooks: [all]\n  cases:\n    - id: one\n"
                     "- id: U\n  title: u\n  stratum: 4\n  when: [{finding F: {rule: T, case: won}}]  #!\n  then: {out: {lesion: x}}"),
                     "no finding has the case 'won'"),
    "no each": ("- id: T  #!\n  title: t\n  stratum: 9\n  cases: [{id: a, silent: true}]", "'each' is missing"),
    "each kind": ("- id: T\n  title: t\n  stratum: 9\n  each: leson L  #!\n  cases: [{id: a, silent: true}]", "did you mean 'lesion'?"),
    "no cases": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: {}  #!", "'cases' must be a list"),
    "case key": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: [{id: a, wen: [], silent: true}]  #!", "unknown key of a case 'wen'"),
    "case id": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: [{silent: true}]  #!", "a case lacks 'id'"),
    "case twice": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases:\n    - {id: a, unless: [{patient P: {}}], silent: true}\n    - {id: a, silent: true}  #!",
                   "the case 'a' occurs twice"),
    "case says nothing": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: [{id: a}]  #!", "neither 'then' nor 'conclusion' nor 'silent"),
    "case silent word": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: [{id: a, silent: yes}]  #!", "must be true or false, not 'yes'"),
    "case not reached": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases:\n    - {id: a, silent: true}\n    - {id: b, silent: true}  #!",
                         "case 'b' is never reached"),
    "case several": (("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases:\n    - id: a\n      when: [{sighting S: {lesion: = L.id}}]\n"
                     "      then: {out: {lesion: = L.id, mm: = S.mm}}  #!"), "uses 'S', of which there may be several"),
    "derivation several": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  give: {out: {lesion: = L.id, mm: = S.mm}}  #!",
                           "choose one with 'pick'"),
    "where several": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  where: [{sighting S: {lesion: = L.id}}]\n  give: {out: {lesion: = L.id, mm: = S.mm}}  #!",
                      "uses 'S', of which there may be several"),
    "no give": ("- id: T  #!\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}", "has no 'give'"),
    "from two": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {}, lesion M: {}}  #!\n  give: {out: {lesion: = L.id, n: count}}",
                 "exactly one key"),
    "pick without from": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  pick: [S.mm largest]  #!\n  give: {out: {lesion: = L.id}}", "'pick' needs 'from'"),
    "pick form": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [mm largest]  #!\n  give: {out: {lesion: = L.id}}",
                  "a criterion of 'pick' is 'S.property latest'"),
    "pick property": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [S.mn largest]  #!\n  give: {out: {lesion: = L.id}}",
                      "unknown property of 'sighting' 'mn'"),
    "pick order": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [S.mm biggest]  #!\n  give: {out: {lesion: = L.id}}",
                   "unknown criterion 'biggest'"),
    "pick text": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [S.exam latest]  #!\n  give: {out: {lesion: = L.id}}",
                  "'latest' is for numbers and dates"),
    "pick code": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [S.vis is seen]  #!\n  give: {out: {lesion: = L.id}}",
                  "'seen' is not a value of 'vis'"),
    "aggregate type": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  give: {out: {lesion: = L.id, n: max S.mm}}  #!",
                       "'max S.mm' is a decimal; 'n' is an int"),
    "count and pick": (("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  from: {sighting S: {lesion: = L.id}}\n  pick: [S.mm largest]\n"
                       "  give: {out: {lesion: = L.id, n: count, mm: = S.mm}}  #!"), "give them in two facts"),
    "derivation with conclusion": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  give: {out: {lesion: = L.id}}\n  conclusion: c  #!",
                                   "unknown key of a derivation 'conclusion'"),
    "tests key": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {postive: []}  #!",
                  "unknown key of 'tests' 'postive'; did you mean 'positive'?"),
    "test kind": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {negative: [{name: none, given: [{sightin: {}}]}]}  #!",
                  "unknown kind 'sightin'"),
    "test required": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {negative: [{name: none, given: [{sighting: {id: S1}}]}]}  #!",
                      "a fact of kind 'sighting' lacks 'lesion'"),
    "test value": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {negative: [{name: none, given: [{lesion: {id: 1}}]}]}  #!",
                   "'1' unquoted is a number"),
    "test case": ("- id: T\n  title: t\n  stratum: 9\n  each: lesion L\n  cases: [{id: a, silent: true}]\n  tests: {positive: [{name: none, given: [], gives: {case: b}}]}  #!",
                  "unknown case 'b'"),
    "test gives": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {negative: [{name: none, given: [], gives: {case: b}}]}  #!",
                   "unknown key of a negative test 'gives'"),
    "missing property": (("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
                         "  tests: {positive: [{name: none, given: []}], missing: {sighting.viss: silent}}  #!"), "unknown property of 'sighting' 'viss'"),
    "missing required": (("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
                         "  tests: {positive: [{name: none, given: []}], missing: {sighting.id: silent}}  #!"), "is required, so it is never unstated"),
    "missing outcome": (("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n"
                        "  tests: {positive: [{name: none, given: []}], missing: {sighting.vis: quiet}}  #!"), "'quiet' is not one of silent, fires"),
    "missing alone": ("- id: T\n  title: t\n  stratum: 9\n  when: [{sighting S: {}}]\n  then: {out: {lesion: = S.lesion}}\n  tests: {missing: {sighting.vis: silent}}  #!",
                      "there is none"),
    "tests a list": (TESTED + "  tests: []  #!", "'tests' must be a mapping"),
    "test rows": (TESTED + "  tests: {positive: x}  #!", "'positive' must be a list"),
    "test row": (TESTED + "  tests: {positive: [x]}  #!", 'a positive test must be a mapping'),
    "test row key": (TESTED + "  tests: {negative: [{nmae: none, given: []}]}  #!", "unknown key of a negative test 'nmae'"),
    "test name": (TESTED + "  tests: {positive: [{name: 5, given: []}]}  #!", "'name': '5' unquoted is a number"),
    "test without facts": (TESTED + "  tests: {positive: [{name: none}]}  #!", "a positive test lacks 'given'"),
    "test given": (TESTED + "  tests: {positive: [{name: none, given: {lesion: {id: L1}}}]}  #!", "'given' must be a list"),
    "test two facts in one": (TESTED + "  tests: {positive: [{name: none, given: [{lesion: {id: L1}, patient: {}}]}]}  #!", 'a given fact must have exactly one key'),
    "test fact": (TESTED + "  tests: {positive: [{name: none, given: [{lesion: [L1]}]}]}  #!", "a fact of kind 'lesion' must be a mapping"),
    "test fact empty": (TESTED + "  tests: {positive: [{name: none, given: [lesion: ]}]}  #!", "a fact of kind 'lesion' lacks 'id'"),
    "test gives a list": (TESTED + "  tests: {positive: [{name: none, given: [], gives: [x]}]}  #!", "'gives' must be a mapping"),
    "test gives key": (TESTED + "  tests: {positive: [{name: none, given: [], gives: {fact: {}}}]}  #!", "unknown key of 'gives' 'fact'; did you mean 'facts'?"),
    "test gives facts": (TESTED + "  tests: {positive: [{name: none, given: [], gives: {facts: [out]}}]}  #!", "'facts' must be a mapping"),
    "test gives kind": (TESTED + "  tests: {positive: [{name: none, given: [], gives: {facts: {outt: {}}}}]}  #!", "unknown kind 'outt'"),
    "test gives value": (TESTED + "  tests: {positive: [{name: none, given: [], gives: {facts: {out: {n: x}}}}]}  #!", "out.n: 'x' is not a number"),
    "test gives indicator": (TESTED + "  tests: {positive: [{name: none, given: [], gives: {indicator: red}}]}  #!", "'indicator' 'red' is not one of"),
    "missing a list": (TESTED + "  tests: {positive: [{name: none, given: []}], missing: [x]}  #!", "'missing' must be a mapping"),
    "missing kind": (TESTED + "  tests: {positive: [{name: none, given: []}], missing: {sightin: silent}}  #!", "unknown kind 'sightin'; did you mean 'sighting'?"),
    "missing case": (TESTED + "  tests: {positive: [{name: none, given: []}], missing: {sighting: {case: a}}}  #!", "unknown case 'a'"),
    "missing case key": (TESTED + "  tests: {positive: [{name: none, given: []}], missing: {sighting: {csae: a}}}  #!", "the outcome lacks 'case'"),
    "missing outcome a list": (TESTED + "  tests: {positive: [{name: none, given: []}], missing: {sighting: [silent]}}  #!", 'the outcome must be a text'),
    "not YAML": ("- id: T\n  title: t: u  #!\n", "not YAML"),
    "unquoted order": ("- id: T\n  title: t\n  stratum: 9\n  when:\n    - sighting S:\n        mm: > 5  #!\n", "not YAML"),
}  # fmt: skip

FILES = {
    "pack key": ("pack", HEAD + "vresion: x  #!\n", "unknown key of pack.yaml 'vresion'; did you mean 'version'?"),
    "pack version": ("pack", "id: a\ntitle: b\nversion: 1.0  #!\n", "'1.0' unquoted is a number"),
    "pack id": ("pack", 'title: b  #!\nversion: "1"\n', "lacks 'id'"),
    "pack list": ("pack", "- a  #!\n", "pack.yaml must be a mapping"),
    "pack empty": ("pack", "#!\n", "pack.yaml must be a mapping"),
    "pack two documents": ("pack", HEAD + "---  #!\na: b\n", "a file holds one document"),
    "kinds": ("facts", "kind: {}  #!\n", "unknown key of facts.yaml 'kind'; did you mean 'kinds'?"),
    "kind name": ("facts", FACTS + "  two-words: {title: t, properties: {}}  #!\n", "cannot be the name of a kind"),
    "kind finding": ("facts", FACTS + "  finding: {title: t, properties: {}}  #!\n", "cannot be the name of a kind"),
    "kind key": ("facts", FACTS + "  x: {title: t, propertys: {}, properties: {}}  #!\n", "did you mean 'properties'?"),
    "kind title": ("facts", FACTS + "  x: {properties: {}}  #!\n", "kind 'x' lacks 'title'"),
    "kind twice": ("facts", FACTS + "  lesion: {title: t, properties: {}}  #!\n", "the key 'lesion' occurs twice"),
    "kind input": ("facts", FACTS + "  x: {title: t, input: yes, properties: {}}  #!\n", "must be true or false, not 'yes'"),
    "kind unique": ("facts", FACTS + "  x: {title: t, unique: idd, properties: {id: {type: id}}}  #!\n", "must be true or a property, not 'idd'; did you mean 'id'?"),
    "property type": ("facts", FACTS + "  x: {title: t, properties: {a: {type: number}}}  #!\n", "unknown type of property 'a'"),
    "property type missing": ("facts", FACTS + "  x: {title: t, properties: {a: {}}}  #!\n", "lacks 'type'"),
    "property key": ("facts", FACTS + "  x: {title: t, properties: {a: {type: id, optional: true}}}  #!\n", "unknown key of property 'a'"),
    "property name": ("facts", FACTS + "  x: {title: t, properties: {a-b: {type: id}}}  #!\n", "a name is letters, digits and '_'"),
    "property plain": ("facts", FACTS + "  x: {title: t, properties: {a: id}}  #!\n", "must be a mapping"),
    "values of an id": ("facts", FACTS + "  x: {title: t, properties: {a: {type: id, values: [b]}}}  #!\n", "only a code has 'values'"),
    "code without values": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code}}}  #!\n", "a code needs 'values'"),
    "value twice": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code, values: [b, b]}}}  #!\n", "the value 'b' occurs twice"),
    "value trap": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code, values: [on, b]}}}  #!\n", "'on' unquoted is a truth value"),
    "value number": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code, values: [1, b]}}}  #!\n", "'1' unquoted is a number"),
    "parameter key": ("parameters", PARAMETERS + '  x: {value: 1, unit: d, valid_from: 2026-01-01, source: s, default: true}  #!\n', "did you mean 'valid-from'?"),
    "parameter value": ("parameters", PARAMETERS + '  x: {value: "1", unit: d, valid-from: 2026-01-01, source: s, default: true}  #!\n', "is quoted"),
    "parameter exponent": ("parameters", PARAMETERS + "  x: {value: 1e3, unit: d, valid-from: 2026-01-01, source: s, default: true}  #!\n", "without an exponent"),
    "parameter places": ("parameters", PARAMETERS + "  x: {value: 0.0000001, unit: d, valid-from: 2026-01-01, source: s, default: true}  #!\n", "more than 6 decimal places"),
    "parameter date": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026, source: s, default: true}  #!\n", "is not a calendar date"),
    "parameter read": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, source: s}  #!\n", "'read: true' (read in the source) or 'default: true'"),
    "parameter both": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, source: s, read: true, default: true}  #!\n", "either 'read: true'"),
    "parameter source": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, read: true}  #!\n", "lacks 'source'"),
    "parameter name": ("parameters", PARAMETERS + "  a-b: {value: 1, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "a name is letters"),
    "parameter twice": ("parameters", PARAMETERS + "  ratio: {value: 1, unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "occurs twice"),
    "evidence key": ("evidence", EVIDENCE + "  E3: {citation: c, pmdi: x}  #!\n", "did you mean 'pmid'?"),
    "evidence citation": ("evidence", EVIDENCE + "  E3: {read: true}  #!\n", "lacks 'citation'"),
    "evidence reading": ("evidence", EVIDENCE + "  E3: {citation: c, reading: skimmed}  #!\n", "'skimmed' is not one of"),
    "evidence recalled": ("evidence", EVIDENCE + "  E3: {citation: c, reading: recalled, read: true}  #!\n", "is recalled, so it was not read"),
    "evidence printable": ("evidence", EVIDENCE + '  E3: {citation: c, printable: "yes"}  #!\n', "was not read, so it is not printable"),
    "evidence twice": ("evidence", EVIDENCE + "  E1: {citation: c}  #!\n", "occurs twice"),
    "table kind": ("tables", "tables:\n  outt: []  #!\n", "unknown kind 'outt'"),
    "table input": ("tables", "tables:\n  lesion: []  #!\n", "is an input and cannot have a table too"),
    "table value": ("tables", "tables:\n  single: [{lesion: L1, mm: x}]  #!\n", "'x' is not a number"),
    "table required": ("tables", "tables:\n  single: [{mm: 1}]  #!\n", "lacks 'lesion'"),
    "table rows": ("tables", "tables:\n  single: {lesion: L1}  #!\n", "must be a list"),
    "table row": ("tables", "tables:\n  single: [x]  #!\n", "a fact of kind 'single' must be a mapping"),
    "registers a text": ("parameters", "parameters: none  #!\n", "'parameters' must be a mapping"),
    "registers twice empty": ("evidence", 'evidence: ""  #!\n', "'evidence' must be a mapping"),
    "parameter a text": ("parameters", PARAMETERS + "  x: 5  #!\n", "parameter 'x' must be a mapping"),
    "parameter value a list": ("parameters", PARAMETERS + "  x: {value: [1], unit: d, valid-from: 2026-01-01, source: s, read: true}  #!\n", "value of parameter 'x' must be a number"),
    "parameter day a list": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: [2026-01-01], source: s, read: true}  #!\n", "must be a date"),
    "parameter default": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, source: s, default: maybe}  #!\n", "'default' of parameter 'x' must be true or false, not 'maybe'"),
    "parameter shown": ("parameters", PARAMETERS + "  x: {value: 1, unit: d, valid-from: 2026-01-01, source: s, read: true, shown: [a]}  #!\n", "'shown' of parameter 'x' must be true or false, not a collection"),
    "parameter unit": ("parameters", PARAMETERS + "  x: {value: 1, unit: 2, valid-from: 2026-01-01, source: s, read: true}  #!\n", "unit of parameter 'x': '2' unquoted is a number"),
    "parameter without all": ("parameters", PARAMETERS + "  x: {title: 5}  #!\n", "title of parameter 'x': '5' unquoted is a number"),
    "evidence a text": ("evidence", EVIDENCE + "  E3: c  #!\n", "evidence 'E3' must be a mapping"),
    "evidence name": ("evidence", EVIDENCE + "  E 3: {citation: c}  #!\n", "an id is letters, digits"),
    "evidence read quoted": ("evidence", EVIDENCE + '  E3: {citation: c, read: "true"}  #!\n', "'read' of evidence 'E3' must be true or false, not 'true'"),
    "evidence printable word": ("evidence", EVIDENCE + '  E3: {citation: c, read: true, printable: "maybe"}  #!\n', "'printable' of evidence 'E3' must be true or false, not 'maybe'"),
    "evidence printable yes": ("evidence", EVIDENCE + "  E3: {citation: c, read: true, printable: yes}  #!\n", "must be true or false, not 'yes'"),
    "evidence figures": ("evidence", EVIDENCE + "  E3: {citation: c, figures: 55}  #!\n", "figures of evidence 'E3' must be a list"),
    "kind a text": ("facts", FACTS + "  x: t  #!\n", "kind 'x' must be a mapping"),
    "kind properties": ("facts", FACTS + "  x: {title: t, properties: [a]}  #!\n", "'properties' of kind 'x' must be a mapping"),
    "kind shown": ("facts", FACTS + '  x: {title: t, shown: "true", properties: {}}  #!\n', "'shown' of kind 'x' must be true or false, not 'true'"),
    "kind title number": ("facts", FACTS + "  x: {title: 5, properties: {}}  #!\n", "title of kind 'x': '5' unquoted is a number"),
    "kind unique a list": ("facts", FACTS + "  x: {title: t, unique: [id], properties: {id: {type: id}}}  #!\n", "not 'a collection'"),
    "property required": ("facts", FACTS + "  x: {title: t, properties: {a: {type: id, required: yes}}}  #!\n", "'required' of property 'a' of kind 'x' must be true or false"),
    "property unit": ("facts", FACTS + "  x: {title: t, properties: {a: {type: int, unit: 5}}}  #!\n", "unit of property 'a' of kind 'x': '5' unquoted"),
    "property title": ("facts", FACTS + "  x: {title: t, properties: {a: {type: int, title: ~}}}  #!\n", "title of property 'a' of kind 'x'"),
    "property values": ("facts", FACTS + "  x: {title: t, properties: {a: {type: code, values: b}}}  #!\n", "values of property 'a' of kind 'x' must be a list"),
    "kinds a list": ("facts", "kinds: [a]  #!\n", "'kinds' must be a mapping"),
    "required code": ("tables", "tables:\n  graded: [{id: a}]  #!\n", "a fact of kind 'graded' lacks 'grade' (or say unknown)"),
    "table property": ("tables", "tables:\n  single: [{lesion: L1, mn: 5}]  #!\n", "unknown property of 'single' 'mn'; known: lesion, mm"),
    "file name": ("parameter", "a: b  #!\n", "no file of a pack has this name; did you mean 'parameters.yaml'?"),
    "deep": ("pack", "[" * 40 + "]" * 40 + "  #!\n", "nested deeper than"),
    "bomb": ("pack", "a: &a [x, x]  #!\nb: &b [*a, *a]\nc: [*b, *b]\n", "an anchor (&a) is not allowed"),
    "merge key": ("pack", HEAD + "<<: {a: b}  #!\n", "unknown key of pack.yaml '<<'"),
    "complex key": ("pack", "? [a, b]  #!\n: c\n", "a key must be plain text"),
    "tab": ("pack", "id: a\n\ttitle: b  #!\n", "not YAML"),
}  # fmt: skip


GRADED = (
    FACTS
    + "  graded: {title: t, shown: true, properties: {id: {type: id}, grade: {type: code, values: [a], required: true}}}\n"
)


def marked(text: str) -> int:
    """Returns the line that holds the mark."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if "#!" in line)


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    return caught.value.problems


def expect(found: tuple[Problem, ...], file: str, line: int, words: str) -> None:
    at_line = [problem.message for problem in found if (problem.file, problem.line) == (file, line)]
    assert any(words in message for message in at_line), "\n".join(map(str, found))


@pytest.mark.parametrize("name", CONDITIONS)
def test_condition(tmp_path: Path, name: str) -> None:
    condition, words = CONDITIONS[name]
    text = rules_text(
        f"- id: T\n  title: t\n  stratum: 9\n  when:\n    - {condition}  #!\n  then: {{out: {{lesion: x}}}}"
    )
    expect(problems(write_pack(tmp_path, text)), "statements/a.yaml", marked(text), words)


# A condition that names no alias may forbid.
ONLY_WHEN = ("no equality", "equality with a constant", "equality with own")


@pytest.mark.parametrize(
    ("name", "place"),
    [(n, p) for n in SECOND for p in ("when", "unless") if p == "when" or n not in ONLY_WHEN],
)
def test_second_condition(tmp_path: Path, name: str, place: str) -> None:
    condition, words = SECOND[name]
    second = f"    - {condition}  #!" if place == "when" else f"  unless:\n    - {condition}  #!"
    text = rules_text(
        f"- id: T\n  title: t\n  stratum: 9\n  when:\n    - lesion L: {{}}\n{second}\n  then: {{out: {{lesion: = L.id}}}}"
    )
    expect(problems(write_pack(tmp_path, text)), "statements/a.yaml", marked(text), words)


@pytest.mark.parametrize("name", VALUES)
def test_value(tmp_path: Path, name: str) -> None:
    value, words = VALUES[name]
    text = rules_text(
        f"- id: T\n  title: t\n  stratum: 9\n  when:\n    - sighting S: {{}}\n  then: {value}  #!"
    )
    expect(problems(write_pack(tmp_path, text)), "statements/a.yaml", marked(text), words)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement(tmp_path: Path, name: str) -> None:
    snippet, words = STATEMENTS[name]
    text = rules_text(BASE + snippet)
    expect(problems(write_pack(tmp_path, text)), "statements/a.yaml", marked(text), words)


@pytest.mark.parametrize("name", FILES)
def test_file(tmp_path: Path, name: str) -> None:
    file, text, words = FILES[name]
    expect(
        problems(write_pack(tmp_path, **{"facts": GRADED, file: text})), f"{file}.yaml", marked(text), words
    )


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = rules_text(
        "- id: A\n  title: t\n  stratum: 1\n  when: [{sightng S: {}}]\n  then: {out: {lesion: x}}\n"
        "- id: B\n  title: t\n  stratum: 1\n  when: [{sighting S: {vis: lost}}]\n  then: {out: {lesion: x}}\n"
    )
    found = problems(write_pack(tmp_path, text, parameters=PARAMETERS.replace("value: 28", "value: x")))
    assert {problem.file for problem in found} == {"parameters.yaml", "statements/a.yaml"}
    assert len(found) == 3


def test_the_message_lists_file_line_and_words(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, pack=HEAD + "extra: x\n")
    with pytest.raises(PackError, match=r"pack\.yaml:4: unknown key of pack\.yaml 'extra'"):
        load_pack(folder)


@pytest.mark.parametrize("missing", ["pack.yaml", "facts.yaml"])
def test_a_file_is_missing(tmp_path: Path, missing: str) -> None:
    write_pack(tmp_path)
    (tmp_path / missing).unlink()
    expect(problems(tmp_path), missing, 1, "the file is missing")


def test_no_statements(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "statements" / "a.yaml").unlink()
    expect(problems(tmp_path), "statements", 1, "there is no file of statements")


def test_no_folder(tmp_path: Path) -> None:
    expect(problems(tmp_path / "nowhere"), str(tmp_path / "nowhere"), 1, "there is no such folder")


def test_a_large_file(tmp_path: Path) -> None:
    write_pack(tmp_path, pack=HEAD + "#" * 2_000_001)
    expect(problems(tmp_path), "pack.yaml", 1, "larger than")


def test_not_utf8(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "pack.yaml").write_bytes(b"id: \xff\n")
    expect(problems(tmp_path), "pack.yaml", 1, "not UTF-8")


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("rules: []\n")
    inside = tmp_path / "pack"
    inside.mkdir()
    write_pack(inside)
    (inside / "statements" / "b.yaml").symlink_to(outside)
    expect(problems(inside), "statements/b.yaml", 1, "a link out of the pack's folder")


def _sparse(at: Path) -> None:
    with at.open("wb") as file:
        file.truncate(6 * 2**30)


NOT_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link that leads nowhere": (lambda at: at.symlink_to("nowhere.yaml"), "cannot be read: No such file"),
    "a link to itself": (lambda at: at.symlink_to("b.yaml"), "cannot be read: Too many levels"),
    "a pipe": (os.mkfifo, "no regular file"),
    "a folder": (Path.mkdir, "no regular file"),
    "a link to a folder": (lambda at: at.symlink_to("."), "a link to a folder is not followed"),
    "a file of six gigabytes": (_sparse, "larger than 2000000 bytes"),
}


@pytest.mark.parametrize("what", NOT_FILES)
@pytest.mark.parametrize("name", ["statements/b.yaml", "catalogue.yaml"])
def test_whatever_has_the_name_of_a_file_is_read_or_refused(tmp_path: Path, name: str, what: str) -> None:
    make, words = NOT_FILES[what]
    write_pack(tmp_path)
    if what == "a link to itself":
        (tmp_path / name).symlink_to(Path(name).name)
    else:
        make(tmp_path / name)
    expect(problems(tmp_path), name, 1, words)


def test_a_link_to_a_folder_of_any_name(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "text").symlink_to("statements")
    expect(problems(tmp_path), "text", 1, "a link to a folder is not followed")


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    write_pack(tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/statements/\xff.yaml")).write_text("rules: []\n")
    found = problems(tmp_path)
    expect(found, "statements/\\xff.yaml", 1, "not UTF-8")
    assert all(str(one).encode() for one in found)


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ({"parameters": {"rati": 1}}, "unknown parameter 'rati'; did you mean 'ratio'?"),
        ({"parameters": {"ratio": True}}, "not an exact number"),
        ({"parameters": {"ratio": 0.5}}, "not an exact number"),
        ({"parameters": {"window": 10**9}}, "not an exact number"),
        ({"states": {"BSE": "off"}}, "unknown rule 'BSE'; did you mean 'BASE'?"),
        ({"states": {"BASE": "gone"}}, "must be active, shadow or off"),
    ],
)
def test_site_settings(tmp_path: Path, site: dict, words: str) -> None:
    write_pack(tmp_path)
    with pytest.raises(PackError) as caught:
        load_pack(tmp_path, **site)
    expect(caught.value.problems, "(site settings)", 1, words)


def test_a_parameter_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    write_pack(tmp_path, rules_text(
        '- id: T\n  title: t\n  stratum: 1\n  when: [{sighting S: {mm: "> $ratio"}}]\n  then: {out: {lesion: = S.lesion}}\n'
    ), parameters=PARAMETERS.replace("value: 0.7", "value: 1e3"))  # fmt: skip
    (problem,) = problems(tmp_path)
    assert "without an exponent" in problem.message


@pytest.mark.parametrize("status", ["on", "yes", "Active"])
def test_what_is_no_state_is_not_to_be_quoted(tmp_path: Path, status: str) -> None:
    text = RULE.replace("stratum: 1", f"stratum: 1\n    status: {status}")
    (problem,) = problems(write_pack(tmp_path, text))
    assert "is not one of active, shadow, off" in problem.message
    assert "quote it" not in problem.message


def test_a_whole_number_with_a_point(tmp_path: Path) -> None:
    text = RULE.replace("vis: visible", "slices: 5.0")
    (problem,) = problems(write_pack(tmp_path, text))
    assert "is an int; write '5' without a point" in problem.message
