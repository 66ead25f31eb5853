"""`sqlgauge equiv`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sqlgauge.commands.options import AS_JSON, QUIET

if TYPE_CHECKING:
    from benchmark.equivalence import PairVerdict


@click.command()
@click.argument("gold", metavar="GOLD_SQL", required=False)
@click.argument("prediction", metavar="PRED_SQL", required=False)
@click.option("--dialect", default="sqlite", show_default=True, help="sqlite or duckdb.")
@click.option(
    "--schema",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A .sql script, a database file, or - for a script on standard input.",
)
@click.option("--schema-sql", help="The script itself.")
@click.option(
    "--batch", type=click.Path(path_type=Path), help="Pairs as JSON lines: id, dialect, schema_sql, gold, pred."
)
@click.option("--out", type=click.Path(path_type=Path), help="For --batch: the verdicts as JSON lines, in that order.")
@click.option("--policy", default="default", show_default=True, help="When results agree (sqlgauge ls policies).")
@click.option("--databases", type=int, metavar="N", help="Databases to try for a counterexample.  [default: 60]")
@click.option("--seconds", type=float, metavar="S", help="The longest that the search takes.  [default: 2]")
@click.option("--seed", type=int, help="Seed of the databases.  [default: 2024]")
@click.option("--workers", type=int, help="For --batch: SQL worker processes.  [default: one a core]")
@click.option("--check", is_flag=True, help="Exit 4 unless proved equivalent; undecided is not.")
@AS_JSON
@QUIET
def equiv(
    gold: str | None,
    prediction: str | None,
    dialect: str,
    schema: Path | None,
    schema_sql: str | None,
    batch: Path | None,
    out: Path | None,
    policy: str,
    databases: int | None,
    seconds: float | None,
    seed: int | None,
    workers: int | None,
    check: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Is a prediction equivalent to the gold on every database of a schema? A proof, a counterexample, or neither.

    GOLD_SQL and PRED_SQL are statements, or @FILE. SQL is extracted from the prediction as the benchmark does.

    \b
    Examples:
      sqlgauge equiv --schema-sql "CREATE TABLE t (a INT)" "SELECT a FROM t WHERE a > 1" "SELECT a FROM t WHERE a >= 1"
      sqlgauge equiv --dialect duckdb --schema shop.sql @gold.sql @prediction.sql --check
      sqlgauge equiv --batch pairs.jsonl --out verdicts.jsonl
    """
    from sqlgauge import verbs
    from sqlgauge.progress import Bars

    if batch is not None:
        _refuse_beside_batch(gold, schema, schema_sql, out)
        assert out is not None
        with Bars(quiet=quiet) as progress:
            counts = verbs.equiv_batch(
                batch, out=out, policy=policy, databases=databases, seconds=seconds, seed=seed, workers=workers,
                progress=progress,
            )  # fmt: skip
        shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        click.echo(json.dumps({"out": str(out), "verdicts": counts}) if as_json else f"{out}: {shown or 'no pairs'}")
        if check:
            verbs.check_equivalent(counts)
        return
    if gold is None or prediction is None:
        raise click.UsageError("give GOLD_SQL and PRED_SQL, or --batch PAIRS.jsonl --out VERDICTS.jsonl")
    if (schema is None) == (schema_sql is None):
        raise click.UsageError("give the schema: --schema FILE, or --schema-sql SCRIPT")
    if str(schema) == "-":
        schema, schema_sql = None, sys.stdin.read()
    found = verbs.equiv(
        _text(gold), _text(prediction), dialect=dialect, schema=schema, schema_sql=schema_sql, policy=policy,
        databases=databases, seconds=seconds, seed=seed,
    )  # fmt: skip
    click.echo(_as_json(found) if as_json else _as_text(found))
    if check:
        verbs.check_equivalent({found.verdict: 1})


def _refuse_beside_batch(gold: str | None, schema: Path | None, schema_sql: str | None, out: Path | None) -> None:
    if gold is not None or schema is not None or schema_sql is not None:
        raise click.UsageError("--batch takes statements and schemas from its file: leave the others out")
    if out is None:
        raise click.UsageError("--batch needs --out VERDICTS.jsonl")


def _text(argument: str) -> str:
    """A statement, or what stands in the file that '@' names."""
    if not argument.startswith("@"):
        return argument
    try:
        return Path(argument[1:]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read {argument[1:]}: {getattr(error, 'strerror', None) or error}") from None


def _as_json(found: PairVerdict) -> str:
    from benchmark.equivalence import as_json

    return json.dumps({name: value for name, value in as_json(found).items() if name != "id"}, indent=2)


def _as_text(found: PairVerdict) -> str:
    from sqlgauge.grids import inert, side_by_side

    blocks = [f"{found.verdict}: {found.reason}"]
    if found.proof is not None and found.verdict == "equivalent":
        blocks.append(f"canonical form:\n{found.proof.form}")
        blocks.append(f"rules: {', '.join(found.proof.rules) or 'none: they are the same as they stand'}")
    if found.counterexample is not None:
        blocks.append(f"the database:\n{found.counterexample.setup_sql.strip()}")
        if found.counterexample.gold.columns or found.counterexample.prediction.columns:
            blocks.append(side_by_side(found.counterexample.gold, found.counterexample.prediction))
    return inert("\n\n".join(blocks))
