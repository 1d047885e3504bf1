"""No change of structure alters a cycle: the counts of reports equal those in the kept file."""

import json

import pytest

from tests.golden.reports import KEPT, Case, cases, differences, play

KEPT_REPORTS = json.loads(KEPT.read_text(encoding="utf-8"))
EVERY = 6  # of the cases, in the default run


def test_every_case_is_kept():
    assert [case.name for case in cases()] == list(KEPT_REPORTS)


@pytest.mark.parametrize("case", list(cases())[::EVERY], ids=lambda case: case.name)
def test_a_report_counts_what_it_counted(case: Case):
    assert differences(json.loads(json.dumps(play(case))), KEPT_REPORTS[case.name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_every_report_counts_what_it_counted(case: Case):
    assert differences(json.loads(json.dumps(play(case))), KEPT_REPORTS[case.name]) == []
