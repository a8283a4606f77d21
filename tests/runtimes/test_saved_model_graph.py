"""A SavedModel is read before it runs: what only computes passes, what reaches further is refused by name."""

import shutil
from pathlib import Path

import pytest

from conftest import REFERENCE
from kexport.bundle.signature import Signature
from kexport.errors import BundleError, MissingCodeError
from kexport.runtimes import get
from kexport.runtimes.saved_model_graph import require_allowed

tf = pytest.importorskip("tensorflow")
FLOATS, TEXTS = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((None,), tf.string)


def saved(folder, compute, spec=FLOATS, **parts):
    """Save a function with a signature; `parts` are objects that it uses."""
    module = tf.Module()
    module.variable = tf.Variable(2.0)
    for name, part in parts.items():
        setattr(module, name, part)
    serve = tf.function(lambda x: {"y": tf.nest.flatten(compute(x))[-1]}, input_signature=[spec], autograph=False)
    module.serve = serve
    tf.saved_model.save(module, str(folder), signatures=serve)
    return folder


def table_of(file):
    line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    words = tf.lookup.TextFileInitializer(str(file), tf.string, line, tf.int64, number)
    return tf.lookup.StaticVocabularyTable(words, 1)


@pytest.fixture
def vocabulary(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("one\ntwo\n")
    return file


@pytest.fixture
def with_table(tmp_path, vocabulary):
    table = table_of(vocabulary)
    return saved(tmp_path / "table", table.lookup, TEXTS, table=table)


def edited(folder, edit):
    """Change the message of a saved model in place."""
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    edit(message.meta_graphs[0])
    file.write_bytes(message.SerializeToString())
    return folder


def nodes_of(graph):
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def refusal(folder):
    with pytest.raises(MissingCodeError) as refused:
        require_allowed(folder)
    assert refused.value.exit_code == 3
    return str(refused.value)


@pytest.mark.parametrize("name", ["lowpass", "regularized", "scaled"])
def test_what_kexport_builds_passes(name):
    require_allowed(REFERENCE / name / "saved_model")


def test_a_model_that_writes_a_file_is_refused_and_does_not_write(tmp_path):
    target = tmp_path / "written"

    def compute(x):
        with tf.control_dependencies([tf.io.write_file(str(target), "here")]):
            return tf.identity(x)

    folder = saved(tmp_path / "model", compute)
    target.unlink(missing_ok=True)
    with pytest.raises(MissingCodeError, match="'WriteFile'"):
        get("saved_model").open(folder, Signature((), ()))
    assert not target.exists()
    get("saved_model").open(folder, Signature((), ()), guarded=False)


def test_what_runs_while_a_model_is_loaded_is_read_too(tmp_path):
    initial = tf.lookup.KeyValueTensorInitializer(tf.constant(["a"]), tf.constant([1], tf.int64))
    table = tf.lookup.StaticHashTable(initial, 0)
    folder = saved(tmp_path / "model", table.lookup, TEXTS, table=table)
    require_allowed(folder)

    def write_in_initialiser(graph):
        (found,) = (each for each in nodes_of(graph) if each.op == "LookupTableImportV2")
        found.op = "WriteFile"

    assert "'WriteFile'" in refusal(edited(folder, write_in_initialiser))


@pytest.mark.parametrize(
    ("operation", "compute"),
    [
        ("ReadFile", lambda x: tf.strings.length(tf.io.read_file("/etc/hostname")) + tf.size(x)),
        ("MatchingFiles", lambda x: tf.size(tf.io.matching_files("/etc/*")) + tf.size(x)),
        ("PyFunc", lambda x: tf.numpy_function(lambda v: v, [x], tf.float32)),
        (
            "SaveV2",
            lambda x: [tf.raw_ops.SaveV2(prefix="p", tensor_names=["x"], shape_and_slices=[""], tensors=[x]), x][1],
        ),
        ("DebugIdentityV3", lambda x: tf.raw_ops.DebugIdentityV3(input=x, debug_urls=["file:///tmp/debug"])),
        ("DecodeProtoV2", lambda x: tf.io.decode_proto(tf.as_string(x), "M", ["f"], [tf.float32])[0]),
    ],
)
def test_operations_that_reach_further_are_refused_by_name(tmp_path, operation, compute):
    words = refusal(saved(tmp_path / "model", compute))
    assert f"'{operation}'" in words
    assert ("add --trust" in words) == (operation != "PyFunc")  # of which the file has a name only


def test_a_model_may_print_but_not_to_a_file(tmp_path):
    def printing(stream):
        def compute(x):
            with tf.control_dependencies([tf.print("value", output_stream=stream)]):
                return tf.identity(x)

        return compute

    import sys

    require_allowed(saved(tmp_path / "terminal", printing(sys.stderr)))
    assert "PrintV2" in refusal(saved(tmp_path / "file", printing(f"file://{tmp_path / 'out'}")))


def test_a_table_from_an_asset_passes_and_works(with_table):
    require_allowed(with_table)
    serve = tf.saved_model.load(str(with_table)).signatures["serving_default"]
    assert serve(tf.constant(["two"]))["y"].numpy().tolist() == [1]


def test_a_table_from_any_other_file_is_refused(with_table):
    def read_constant(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op.startswith("InitializeTableFromTextFile"):
                    name = function.node_def.add(name="path", op="Const")
                    name.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/etc/hostname"))
                    name.attr["dtype"].type = tf.string.as_datatype_enum
                    node.input[1] = "path:output:0"

    assert "of a file that is not its own" in refusal(edited(with_table, read_constant))


def test_a_table_whose_file_a_captured_text_names_is_refused(with_table):
    def capture_constant(graph):
        objects = graph.object_graph_def
        for function in objects.concrete_functions.values():
            for place, index in enumerate(function.bound_inputs):
                if objects.nodes[index].WhichOneof("kind") == "asset":
                    function.bound_inputs[place] = 0

    assert "of a file that is not its own" in refusal(edited(with_table, capture_constant))


def test_a_table_of_an_older_tensorflow_passes(tmp_path, vocabulary):
    v1 = tf.compat.v1
    folder = tmp_path / "model"
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.string, (None,))
        weights = v1.get_variable("weights", initializer=[1.0, 2.0, 3.0])
        y = tf.gather(weights, table_of(vocabulary).lookup(x))
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y}, legacy_init_op=v1.tables_initializer())
    require_allowed(folder)

    def serve_what_saves(graph):
        name = graph.saver_def.save_tensor_name
        graph.signature_def["serving_default"].outputs["y"].name = name

    assert "'SaveV2'" in refusal(edited(folder, serve_what_saves))


@pytest.mark.parametrize("name", ["../../words.txt", "/etc/hostname", "..\\words.txt", "C:\\words.txt"])
def test_an_asset_outside_of_the_folder_is_refused(with_table, name):
    def lead_out(graph):
        graph.asset_file_def[0].filename = name

    assert "outside of its folder" in refusal(edited(with_table, lead_out))


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(with_table, vocabulary):
    (asset,) = (with_table / "assets").iterdir()
    shutil.move(asset, asset.with_name("real"))
    asset.symlink_to("real")
    require_allowed(with_table)
    asset.unlink()
    asset.symlink_to(vocabulary)
    assert "leads out of its folder" in refusal(with_table)


def test_links_that_lead_in_a_circle_are_refused(with_table):
    (with_table / "assets" / "a").symlink_to("b")
    (with_table / "assets" / "b").symlink_to("a")
    assert "leads out of its folder" in refusal(with_table)


def test_a_file_whose_name_a_caller_of_the_function_gives_is_refused(tmp_path):
    def sample(x):
        numbers = tf.reshape(tf.cast(x, tf.int64), (-1, 1))
        return tf.random.fixed_unigram_candidate_sampler(numbers, 1, 2, True, 4, unigrams=[1.0, 2.0, 3.0, 4.0])[0]

    folder = saved(tmp_path / "model", sample)
    require_allowed(folder)

    def leave_to_the_caller(graph):
        (found,) = (each for each in nodes_of(graph) if each.op == "FixedUnigramCandidateSampler")
        found.attr["vocab_file"].placeholder = "words"

    assert "FixedUnigramCandidateSampler to the value of 'words'" in refusal(edited(folder, leave_to_the_caller))


def test_the_function_that_saves_may_not_be_called_by_another(tmp_path):
    folder = saved(tmp_path / "model", lambda x: x * 2.0)

    def call_it(graph):
        library = graph.graph_def.library.function
        (saves,) = (each.signature.name for each in library if any(node.op == "SaveV2" for node in each.node_def))
        node = next(each for each in library if "signature_wrapper" in each.signature.name).node_def.add()
        node.name, node.op = "again", "PartitionedCall"
        node.attr["f"].func.name = saves

    assert "'SaveV2'" in refusal(edited(folder, call_it))


def test_a_function_that_may_be_put_in_the_place_of_another_is_read_strictly(tmp_path):
    folder = saved(tmp_path / "model", lambda x: x * 2.0)

    def swap(graph):
        for function in graph.graph_def.library.function:
            if any(node.op == "SaveV2" for node in function.node_def):
                function.attr["api_implements"].s = b"anything"

    assert "'SaveV2'" in refusal(edited(folder, swap))


def test_a_call_of_what_is_no_function_is_refused(tmp_path):
    inner = tf.function(lambda x: x * 2.0, autograph=False)
    folder = saved(tmp_path / "model", lambda x: inner(x))
    require_allowed(folder)

    def call_operation(graph):
        for node in nodes_of(graph):
            if "f" in node.attr:
                node.attr["f"].func.attr["inner"].func.name = "WriteFile"

    assert "'WriteFile', which is no function of it" in refusal(edited(folder, call_operation))


def test_a_name_that_stands_for_two_functions_is_refused(tmp_path):
    folder = saved(tmp_path / "model", lambda x: x * 2.0)

    def double(graph):
        library = graph.graph_def.library.function
        library.add().CopyFrom(library[0])

    assert "two functions of one name" in refusal(edited(folder, double))


def test_the_name_of_an_operation_is_no_disguise_for_it(tmp_path):
    folder = saved(tmp_path / "model", lambda x: x * 2.0)

    def disguise(graph):
        harmless = graph.graph_def.library.function.add()
        harmless.signature.name = "WriteFile"
        graph.graph_def.library.function[0].node_def.add(name="call", op="WriteFile")

    assert "'WriteFile' (node" in refusal(edited(folder, disguise))


def test_names_from_the_file_reach_the_message_without_control_characters(tmp_path):
    folder = saved(tmp_path / "model", lambda x: x * 2.0)

    def colour(graph):
        graph.graph_def.library.function[0].node_def.add(name="\x1b[31mred", op="\x07Ring")

    message = refusal(edited(folder, colour))
    assert "red" in message
    assert not any(character in message for character in "\x1b\x07")


def test_a_damaged_file_is_an_error_of_the_bundle(tmp_path):
    from kexport.errors import BundleError

    shutil.copytree(REFERENCE / "scaled" / "saved_model", tmp_path / "model")
    Path(tmp_path / "model" / "saved_model.pb").write_bytes(b"\xff" * 40)
    with pytest.raises(BundleError, match="cannot be read"):
        require_allowed(tmp_path / "model")


def test_a_file_that_no_message_can_fill_is_not_read(tmp_path):
    with (tmp_path / "saved_model.pb").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BundleError, match="too large"):
        require_allowed(tmp_path)
