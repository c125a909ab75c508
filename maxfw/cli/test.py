"""`maxfw test`: does a model folder keep the contract?"""

from __future__ import annotations

import click
import msgspec

from maxfw.catalog import ModelFolder, find, load_model
from maxfw.contract import Sample, check, comparable, sample_text, samples_of
from maxfw.errors import BadModel
from maxfw.predictor import Predictor
from maxfw.settings import load_settings


@click.command("test")
@click.argument("model")
@click.option(
    "--record", is_flag=True, help="Write the model's present answers into its samples, then look at them."
)
def command(model: str, record: bool) -> None:
    """Check that MODEL (a name or path) keeps what every model must keep.

    Its samples are answered as expected, a batch answers like single inputs, nonsense is refused, its card is
    complete. The exit code is 1 if a promise is broken.

    \b
    Examples:
      maxfw test ./my_model
      maxfw test ./my_model --record
      maxfw test object_detector
    """
    folder = find(model)
    if folder.is_old_style:
        raise BadModel(
            f"{folder.path} is an old-style repository", hint="the contract is for model.py folders"
        )
    predictor = Predictor(load_model(folder), load_settings())
    try:
        samples = samples_of(folder, predictor.task)
        if record:
            for sample in samples:
                _record(predictor, folder, sample)
            return
        broken = 0
        for finding in check(predictor, folder, samples):
            click.echo(f"{'✗' if finding.problem else '✓'} {finding.promise}")
            if finding.problem:
                broken += 1
                click.echo(f"  {finding.problem}")
    finally:
        predictor.close()
    if broken:
        click.echo(f"{broken} broken", err=True)
        raise click.exceptions.Exit(1)


def _record(predictor: Predictor, folder: ModelFolder, sample: Sample) -> None:
    file = folder.samples / f"{sample.name}.json"
    content = msgspec.json.decode(file.read_bytes())
    content["answer"] = comparable(predictor.answer(sample.inputs, sample.parameters))
    file.write_text(sample_text(content), encoding="utf-8")
    click.echo(f"recorded {file}")
