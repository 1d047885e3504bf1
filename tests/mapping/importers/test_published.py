"""Published files of every family: parameters, graphs, no unknown fields.

`test_transformers.py` counts the parameters again with transformers.
"""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.models import build_graph
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.run import DecoderRun
from tests.mapping.importers.configs import GPT2, PUBLISHED, changed, imported

PARAMETERS = {
    "gpt2": 124_439_808,
    "gpt-neox-20b": 20_554_567_680,
    "Llama-3.1-8B": 8_030_261_248,
    "Mistral-7B-v0.1": 7_241_732_096,
    "Qwen2.5-7B": 7_615_616_512,
    "Qwen3-8B": 8_190_735_360,
    "Qwen3-30B-A3B": 30_532_122_624,
    "gemma-2-9b": 9_241_705_984,
    "gemma-3-1b-pt": 999_885_952,
    "phi-2": 2_779_683_840,
    "Phi-3-mini-4k-instruct": 3_821_079_552,
    "Mixtral-8x7B-v0.1": 46_702_792_704,
    "bert-large-uncased": 335_141_888,
    "roberta-base": 124_645_632,
    "vit-base-patch16-224-in21k": 86_389_248,
    "deit-tiny-distilled-patch16-224": 5_561_856,
    "longformer-base-4096": 148_659_456,
    "bigbird-roberta-base": 127_468_800,
    "ModernBERT-base": 149_014_272,
}


@pytest.mark.parametrize("title", PUBLISHED)
def test_parameters(title: str) -> None:
    assert imported(PUBLISHED[title], title).workload.model.parameters == PARAMETERS[title]


@pytest.mark.parametrize("title", PUBLISHED)
def test_files_hold_nothing_unknown(title: str) -> None:
    assert imported(PUBLISHED[title], title).warnings == ()


@pytest.mark.parametrize("title", PUBLISHED)
def test_what_is_written_reads_back_as_what_was_checked(title: str) -> None:
    made = imported(PUBLISHED[title], title)
    assert check_workload(yaml.safe_load(made.text), origin=title) == made.workload


ANY_TEXT = st.text(st.characters(), max_size=20)  # halves of surrogate pairs too, which JSON can hold


@given(title=ANY_TEXT, architecture=ANY_TEXT)
def test_whatever_a_file_calls_itself_its_workload_can_be_read(title: str, architecture: str) -> None:
    named = changed(GPT2, _name_or_path=title, architectures=[f"GPT2Model{architecture}"])
    made = imported(named)
    assert check_workload(yaml.safe_load(made.text), origin="made") == made.workload
    assert made.text.encode()


@pytest.mark.parametrize("title", PUBLISHED)
def test_graphs_hold_these_parameters_and_do_the_work_of_the_closed_form(title: str) -> None:
    workload = imported(PUBLISHED[title], title).workload
    if isinstance(workload.run, DecoderRun):
        workload = replace(workload, run=workload.run.model_copy(update={"lm_head": "included"}))
    graph, step = build_graph(workload), workload.run.last_step(workload.model)
    assert graph.parameters == PARAMETERS[title]
    assert graph.totals(step).macs == workload.model.macs(step)
