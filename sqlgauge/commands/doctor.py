"""`sqlgauge doctor`."""

from __future__ import annotations

import json

import click

from sqlgauge.commands.options import AS_JSON

_SIGNS = {"ok": "ok     ", "missing": "missing", "note": "-      "}


@click.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Say what this machine can run, which keys are set (never their value), and how to add what is missing.

    \b
    Example:
      sqlgauge doctor
    """
    import msgspec

    from sqlgauge.doctor import examine

    found = examine()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    width = max(len(one.about) for one in found)
    for one in found:
        remedy = f"; {one.remedy}" if one.remedy else ""
        click.echo(f"{_SIGNS[one.state]} {one.about:<{width}}  {one.said}{remedy}")
