"""Any recogniser as an ONNX file, with a TOML file that says what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner
from drawn_people import drawn_people
from onnx import TensorProto, helper

from maskgen.core.reasons import UserError
from maskgen.embedders.by_name import open_embedder
from maskgen.embedders.chip_alignment import ARCFACE5, ChipAligner, chip_matrix
from maskgen.embedders.onnx_input import read_onnx_input
from maskgen.pipelines.cli import main

TOML = 'side = 16\nchannels = "BGR"\nmean = [10, 20, 30]\nscale = 0.5\n'


def means(
    path: Path,
    batch: int | str = "n",
    rank: int = 2,
    shape: tuple[int | str, ...] = (3, 16, 16),
    kind: int = TensorProto.FLOAT,
) -> Path:
    """A file that gives the means of its input's three channels as a picture's embedding."""
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0 if rank == 2 else 1)
    takes = helper.make_tensor_value_info("x", kind, [batch, *shape])
    gives = helper.make_tensor_value_info("y", kind, [batch, 3] + [1] * (rank - 2))
    graph = helper.make_graph([node], "means", [takes], [gives])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("batch", ["n", 1, 3])
def test_pixels_go_in_as_the_file_says(tmp_path: Path, batch: int | str) -> None:
    (tmp_path / "input.toml").write_text(TOML)
    model = open_embedder(str(means(tmp_path / "m.onnx", batch)), input_file=tmp_path / "input.toml")
    assert (model.dim, model.size, model.name) == (3, 16, "m")
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)
    wanted = (images[..., ::-1].mean((1, 2)) - [10, 20, 30]) * 0.5
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(model.embed(images), wanted, atol=1e-5)


def test_a_file_of_export_needs_no_words(tmp_path: Path) -> None:
    """Where the face lies in dlib's chips is not the file's business: its metadata say how they must be cut."""
    out = tmp_path / "dlib.onnx"
    result = CliRunner().invoke(main, ["export", "dlib", str(out)])
    assert result.exit_code == 0, result.output
    (taken,) = onnxruntime.InferenceSession(str(out)).get_inputs()
    assert taken.shape[1:] == [3, 150, 150]
    about = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert (about["size"], about["align"]) == ("150", "dlib")
    crops = [portrait.image for _, _, portrait in drawn_people(2, 1, seed=3)]
    np.testing.assert_allclose(open_embedder(str(out)).embed(crops), open_embedder("dlib").embed(crops), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('channels = "RGB"', "side is missing"),
        ("side = 8", "16 to 4096"),
        ("side = 112.0", "whole number"),
        ('side = 112\nchannels = "GRB"', "must be"),
        ("side = 112\nmean = [1, 2]", "a list of three"),
        ("side = 112\nscale = 0", "not 0"),
        ("side = 112\nsize = 3", "no setting size"),
        ('side = 112\nalign = "eyes"', "align must be one of"),
        ("side = 112\nalignment = 3", "alignment must be one of"),
        (f"side = 112\nmean = 1{'0' * 400}", "must be finite"),
        ("side = ", "cannot be read as TOML"),
    ],
)
def test_words_that_say_nothing_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "input.toml").write_text(text)
    with pytest.raises(UserError, match=said):
        read_onnx_input(tmp_path / "input.toml")


def test_words_say_how_crops_must_be_aligned(tmp_path: Path) -> None:
    path = tmp_path / "input.toml"
    path.write_text('side = 16\nalign = "crop"\nalignment = "arcface"')
    assert open_embedder(str(means(tmp_path / "m.onnx")), input_file=path).alignment == "arcface"
    assert open_embedder(tmp_path / "m.onnx", input_file=str(path)).alignment == "arcface"
    path.write_text('side = 16\nalign = "dlib"\nalignment = "arcface"')
    with pytest.raises(UserError, match="alignment says how crops must be aligned: leave it out with align = 'dlib'"):
        read_onnx_input(path)
    path.write_text('side = 16\nalignment = "mine"')
    with pytest.raises(UserError, match="alignment must be one of maskgen, arcface, arcface-128, facenet, not 'mine'"):
        read_onnx_input(path)


def test_files_that_are_no_recogniser_are_refused(tmp_path: Path) -> None:
    (tmp_path / "input.toml").write_text(TOML)
    (tmp_path / "wide.toml").write_text("side = 32")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    model = means(tmp_path / "m.onnx")
    for path, words, said in (
        (tmp_path / "broken.onnx", "input.toml", "cannot be read as ONNX"),
        (model, "wide.toml", "does not work with pictures of 32 x 32"),
        (means(tmp_path / "maps.onnx", rank=4), "input.toml", "not one embedding each"),
    ):
        with pytest.raises(UserError, match=said):
            open_embedder(str(path), input_file=tmp_path / words)
    with pytest.raises(UserError, match="give --input"):
        open_embedder(str(model))
    with pytest.raises(UserError, match="leave it out"):
        open_embedder("dlib", input_file=tmp_path / "input.toml")


@pytest.mark.parametrize(
    ("input_of", "told"),
    [
        ({"shape": (16, 16, 3)}, r"takes pictures \(n, 16, 16, 3\), channels last: export it with an input of \(n, 3,"),
        ({"shape": ("h", "w", 3)}, r"takes pictures \(n, h, w, 3\), channels last"),
        ({"shape": (1, 16, 16)}, r"takes pictures \(n, 1, 16, 16\), other channels"),
        ({"batch": 0}, "name a recogniser of pictures"),
        (
            {"kind": TensorProto.DOUBLE},
            r"takes tensor\(double\), not tensor\(float\): export it with an input of",
        ),
    ],
)
def test_other_inputs_are_told_by_what_they_take(tmp_path: Path, input_of: dict[str, Any], told: str) -> None:
    """`correct side in --input` would send their owner to a line that is right."""
    (tmp_path / "input.toml").write_text("side = 16")
    with pytest.raises(UserError, match=told):
        open_embedder(str(means(tmp_path / "m.onnx", **input_of)), input_file=tmp_path / "input.toml")


def test_weights_in_other_files_are_not_read(tmp_path: Path) -> None:
    """A path inside a file that a person was given may lead anywhere."""
    (tmp_path / "input.toml").write_text("side = 16")
    model = onnx.load(means(tmp_path / "m.onnx"))
    weight = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="secret.bin")
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    model.graph.initializer.append(weight)
    model.graph.node.append(helper.make_node("Add", ["y", "w"], ["z"]))
    model.graph.output[0].name = "z"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="cannot be read as ONNX"):
        open_embedder(str(tmp_path / "m.onnx"), input_file=tmp_path / "input.toml")


def test_arcfaces_places_are_where_the_five_points_go() -> None:
    points = ARCFACE5 * 2 + 5
    matrix = chip_matrix(points, ARCFACE5)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], ARCFACE5, atol=1e-9)
    blank = np.full((160, 160, 3), 128, np.uint8)
    assert ChipAligner("arcface").chips([blank])[0].shape == (112, 112, 3)
    assert ChipAligner("arcface", 224).chips([blank])[0].shape == (224, 224, 3)
