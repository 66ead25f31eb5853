"""The verbs as Python functions: what the command line calls, and what a script may call."""

from sqlgauge.verbs.common import Progress, silent
from sqlgauge.verbs.judging import Asking, calibrate, judge, judge_estimate, self_checks
from sqlgauge.verbs.pairs import check_equivalent, equiv, equiv_batch
from sqlgauge.verbs.publishing import fetch, publish
from sqlgauge.verbs.repeating import check_repeated, rerun
from sqlgauge.verbs.reporting import check_no_worse, compare, export, label, label_on_server, power, report
from sqlgauge.verbs.running import make_plan, run
from sqlgauge.verbs.scoring import check_verified, score, verify
from sqlgauge.verbs.trust import check_clean, check_healthy, contamination, dataset_init, validate
from sqlgauge.verbs.tuning import finetune, merge, preview

__all__ = [
    "Asking",
    "Progress",
    "calibrate",
    "check_clean",
    "check_equivalent",
    "check_healthy",
    "check_no_worse",
    "check_repeated",
    "check_verified",
    "compare",
    "contamination",
    "dataset_init",
    "equiv",
    "equiv_batch",
    "export",
    "fetch",
    "finetune",
    "judge",
    "judge_estimate",
    "label",
    "label_on_server",
    "make_plan",
    "merge",
    "power",
    "preview",
    "publish",
    "report",
    "rerun",
    "run",
    "score",
    "self_checks",
    "silent",
    "validate",
    "verify",
]
