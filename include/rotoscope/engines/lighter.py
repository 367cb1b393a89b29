"""Networks made lighter: the same picture out of less work, where style networks are wasteful.

Doubling: they repeat each pixel of a picture, and convolve that (Odena et al., Deconvolution and Checkerboard
Artifacts, 2016). Each pixel that comes out sees 2x2 different ones at most, so a convolution of the small picture gives
blocks of them as planes (Shi et al., Is the deconvolution layer the same as a convolutional layer?, 2016), with 4 in
place of 9 products, and the doubled picture is never in memory.

Few planes: the last convolution gives three, where processors compute sixteen side by side; one that gives blocks of
2x2 pixels has twelve. They are laid out as pixels after all that is done to each value.

Norms: spelled out, they pass over memory more often than they must; as one operation, they round as the number of
threads has it. And flat planes, those of a black frame, must not become noise.
"""

import math
from collections.abc import Callable

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as operations
from openvino.passes import AnyInput, ConstantFolding, Manager, Matcher, MatcherPass, WrapType

FEW = 4
"""Planes so few that a convolution is better made for blocks of pixels, and that it costs little to pass over them."""
BLOCK = 2
"""Pixels of a side of a block, and copies of a pixel along one."""
REPEATING = {("asymmetric", "floor"), ("asymmetric", "round_prefer_floor"), ("half_pixel", "round_prefer_floor")}
"""Where pixels are taken to lie and how that is rounded, when doubling repeats each pixel once."""
ROUNDING = 1e-10
"""The variance, at most, of a plane that would be flat but for rounding: pixels of a block are not rounded alike."""
SOME = 16
"""Of so many pixels in a row or column, one is looked at for a rough mean."""
PLANE = [2, 3]
"""The axes of a plane."""
OF_EACH = ("Add", "Clamp", "Convert", "Multiply", "Relu", "Sigmoid", "Subtract")
"""Operations that do something to each value, whatever lies beside it."""
REDUCED = {"ReduceMean": operations.reduce_mean, "ReduceL2": operations.reduce_l2}
"""Operations that make a number of many, which those of the same operation for parts of them make as well."""

Kernels = NDArray[np.float32]
"""(planes out, planes in, height, width), or, for blocks of pixels, (rows, columns, planes out, ...)."""
Rewritten = Callable[[dict[AnyInput, openvino.Output]], openvino.Node | None]
"""The better form of what matched a pattern, if this one has it."""


def lighten(model: openvino.Model, half: bool = False) -> None:
    """Change a model whose shapes are known, such that what it gives differs by rounding alone.

    half: it is to compute in half precision, where pixels of a block are rounded too differently to double by blocks.
    """
    passes = Manager()
    passes.register_pass(ConstantFolding())
    norms = (_spelled_norm, _biased_norm, _norm)
    for rewrite in (*norms, _few_planes) if half else (*norms, _doubling, _few_planes):
        passes.register_pass(rewrite())
    passes.run_passes(model)
    _lay_out_last(model)
    model.validate_nodes_and_infer_types()


class _Rewrite(MatcherPass):  # type: ignore[misc]  # which has no types
    def __init__(self, pattern: AnyInput, rewritten: Rewritten) -> None:
        super().__init__()

        def replace(matcher: Matcher) -> bool:
            node = rewritten(matcher.get_pattern_value_map())
            if node is not None:
                openvino.utils.replace_node(matcher.get_match_root(), node)
            return node is not None

        self.register_matcher(Matcher(pattern, type(self).__name__), replace)


def _doubling() -> _Rewrite:
    """A 3x3 convolution of a doubled picture, as one of the picture."""
    kernels, doubled = AnyInput(), WrapType("opset13.Interpolate")
    padded = WrapType("opset13.Pad", [doubled, AnyInput(), AnyInput(), AnyInput()])
    convolved = WrapType("opset13.Convolution", [padded, kernels])

    def rewritten(found: dict[AnyInput, openvino.Output]) -> openvino.Node | None:
        each = _constant(found[kernels])
        if each is None or each.shape[2:] != (3, 3) or not _at_each_pixel(found[convolved]):
            return None
        small = found[doubled].get_node().input_value(0)
        if not _doubles(found[doubled], small) or not _mirrors_one(found[padded]):
            return None
        # Beyond the border of a doubled picture, its mirror image shows the copy of the pixel at the border.
        around = np.array([0, 0, 1, 1])
        edged = operations.pad(small, around, around, "edge")
        return _part(_in_blocks(edged, _of_touching(each), 1), 1, [-1, -1], 1)

    return _Rewrite(convolved, rewritten)


def _of_touching(kernels: Kernels) -> Kernels:
    """Those that make of 2x2 pixels of the small picture the block of their copies that touch.

    In a row of the doubled picture, such a copy sees itself and its twin, and one copy of the other pixel.
    """
    seen = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]], np.float32)  # by copy, pixel, place in the kernel
    return np.asarray(np.einsum("pat,qbu,octu->pqocab", seen, seen, kernels), np.float32)


def _few_planes() -> _Rewrite:
    """A convolution that gives a few planes, as one that gives blocks of their pixels."""
    padded, kernels = AnyInput(), AnyInput()
    convolved = WrapType("opset13.Convolution", [padded, kernels])

    def rewritten(found: dict[AnyInput, openvino.Output]) -> openvino.Node | None:
        each = _constant(found[kernels])
        if each is None or len(each) > FEW or not _at_each_pixel(found[convolved]):
            return None
        if any(side % BLOCK for side in found[convolved].get_shape()[2:]):
            return None
        return _in_blocks(found[padded], _of_each_place(each), BLOCK)

    return _Rewrite(convolved, rewritten)


def _of_each_place(kernels: Kernels) -> Kernels:
    """The kernels as each pixel of a block applies them to what the whole block sees."""
    planes, features, height, width = kernels.shape
    each = np.zeros((BLOCK, BLOCK, planes, features, height + BLOCK - 1, width + BLOCK - 1), np.float32)
    for row in range(BLOCK):
        for column in range(BLOCK):
            each[row, column, :, :, row : row + height, column : column + width] = kernels
    return each


def _lay_out_last(model: openvino.Model) -> None:
    """Do to blocks of few planes what is done to their pixels, and lay them out after it.

    The planes of a pixel lie side by side in memory, so that three values of three planes are worked on at once.
    """
    for node in model.get_ordered_ops():
        blocks = [_few_in_blocks(value) for value in node.input_values()]
        kind = node.get_type_name()
        if kind in OF_EACH and any(one is not None for one in blocks):
            _do_to_blocks(node, blocks)
        elif kind in REDUCED and blocks[0] is not None and _of_planes(node):
            openvino.utils.replace_node(node, _reduced(node, blocks[0]))
        elif kind == "Slice" and blocks[0] is not None and _of_some(node):
            openvino.utils.replace_node(node, _some(blocks[0], node.get_output_shape(0)[1]))


def _few_in_blocks(laid_out: openvino.Output) -> openvino.Output | None:
    """The blocks of what is blocks of few planes, laid out as pixels."""
    node = laid_out.get_node()
    few = node.get_type_name() == "DepthToSpace" and laid_out.get_shape()[1] <= FEW
    return node.input_value(0) if few else None


def _do_to_blocks(node: openvino.Node, blocks: list[openvino.Output | None]) -> None:
    """What is done to each value, if a number, or one for each plane, is all that it takes besides."""
    planes, values = node.get_output_shape(0)[1], node.input_values()
    beside = {place: list(values[place].get_shape()) for place, one in enumerate(blocks) if one is None}
    if any(math.prod(shape) > 1 and shape != [1, planes, 1, 1] for shape in beside.values()):
        return
    for place, one in enumerate(blocks):
        if one is not None:
            node.input(place).replace_source_output(one)
        elif math.prod(beside[place]) > 1:
            node.input(place).replace_source_output(operations.concat([values[place]] * BLOCK**2, 1).output(0))
    after = node.output(0).get_target_inputs()
    node.validate_and_infer_types()
    laid_out = operations.depth_to_space(node, "blocks_first", BLOCK)
    for reader in after:
        reader.replace_source_output(laid_out.output(0))


def _of_planes(node: openvino.Node) -> bool:
    """Whether a number is made of each plane."""
    axes = _constant(node.input_value(1))
    return bool(axes is not None and axes.tolist() == PLANE and node.get_attributes()["keep_dims"])


def _reduced(node: openvino.Node, blocks: openvino.Output) -> openvino.Node:
    """A number for each plane, made of those for the planes of a block."""
    reduce, planes = REDUCED[node.get_type_name()], node.get_output_shape(0)[1]
    places = operations.reshape(reduce(blocks, np.array(PLANE), True), np.array([1, BLOCK**2, planes, 1]), False)
    return operations.reshape(reduce(places, np.array([1]), True), np.array([1, planes, 1, 1]), False)


def _of_some(node: openvino.Node) -> bool:
    """Whether those pixels are taken that `_roughly_centred` looks at."""
    first, _, step, axes = (_constant(value) for value in node.input_values()[1:])
    return all(
        found is not None and found.tolist() == wanted
        for found, wanted in ((first, [0, 0]), (step, [SOME] * 2), (axes, PLANE))
    )


def _some(blocks: openvino.Output, planes: int) -> openvino.Node:
    """The same pixels, each of which is the first of its block."""
    _, _, height, width = blocks.get_shape()
    chosen = [0, 0, 0], [planes, height, width], [1, SOME // BLOCK, SOME // BLOCK], [1, *PLANE]
    return operations.slice(blocks, *(np.array(of_each) for of_each in chosen))


def _spelled_norm() -> _Rewrite:
    """(x - mean) / sqrt(mean of (x - mean)^2 + epsilon) within each plane, as one operation."""
    features, axes, same_axes, power, epsilon, one = (AnyInput() for _ in range(6))
    difference = WrapType("opset13.Subtract", [features, WrapType("opset13.ReduceMean", [features, axes])])
    variance = WrapType("opset13.ReduceMean", [WrapType("opset13.Power", [difference, power]), same_axes])
    root = WrapType("opset13.Sqrt", [WrapType("opset13.Add", [variance, epsilon])])
    normed = WrapType("opset13.Multiply", [difference, WrapType("opset13.Divide", [one, root])])

    def rewritten(found: dict[AnyInput, openvino.Output]) -> openvino.Node | None:
        said = [_constant(found[value]) for value in (axes, same_axes, power, one)]
        least = _constant(found[epsilon])
        if [value is not None and value.tolist() for value in said] != [PLANE, PLANE, 2, 1]:
            return None
        if least is None or least.size != 1:
            return None
        return operations.mvn(found[features], found[axes], True, least.item(), "inside_sqrt")

    return _Rewrite(normed, rewritten)


def _biased_norm() -> _Rewrite:
    """The norm of planes, to each of which a number was added, as that of the planes."""
    features, bias, axes = AnyInput(), AnyInput(), AnyInput()
    normed = WrapType("opset13.MVN", [WrapType("opset13.Add", [features, bias]), axes])

    def rewritten(found: dict[AnyInput, openvino.Output]) -> openvino.Node | None:
        added = _constant(found[bias])
        if added is None or added.shape[-2:] != (1, 1) or not _within_planes(found[normed]):
            return None
        if found[features].get_shape() != found[normed].get_shape():
            return None
        return operations.mvn(found[features], found[axes], True, _epsilon(found[normed]), "inside_sqrt")

    return _Rewrite(normed, rewritten)


def _norm() -> _Rewrite:
    """A norm by the means of x and x^2, which are exact where x is near to nought."""
    features, axes = AnyInput(), AnyInput()
    normed = WrapType("opset13.MVN", [features, axes])

    def rewritten(found: dict[AnyInput, openvino.Output]) -> openvino.Node | None:
        if not _within_planes(found[normed]):
            return None
        centred = _centred(found[features])
        planes, rounding = (_roughly_centred(found[features]), ROUNDING) if centred is None else (centred, 0.0)
        mean = operations.reduce_mean(planes, found[axes], True)
        variance = operations.subtract(_mean_square(planes), operations.multiply(mean, mean))
        spread = operations.sqrt(operations.add(operations.relu(variance), np.float32(_epsilon(found[normed]))))
        # What varies in a flat plane is rounding, which each norm would multiply.
        flat = operations.less_equal(variance, np.float32(rounding))
        factor = operations.select(flat, np.float32(0), operations.divide(np.float32(1), spread))
        return operations.multiply(operations.subtract(planes, mean), factor)

    return _Rewrite(normed, rewritten)


def _mean_square(planes: openvino.Node) -> openvino.Node:
    _, _, height, width = planes.get_output_shape(0)
    length = operations.reduce_l2(planes, np.array(PLANE), True)
    return operations.multiply(operations.multiply(length, length), np.float32(1 / (height * width)))


def _roughly_centred(planes: openvino.Output) -> openvino.Node:
    """Planes less the mean of some of their pixels, which is nearer to that of all than nought is."""
    some = _part(planes, 0, planes.get_shape()[2:], SOME)
    return operations.subtract(planes, operations.reduce_mean(some, np.array(PLANE), True))


def _centred(convolved: openvino.Output) -> openvino.Node | None:
    """What has the same norm and means near to nought, where this costs little: if it is made of few planes.

    A number less in each plane that is convolved is a number less in each plane that comes out.
    """
    node = convolved.get_node()
    if node.get_type_name() != "Convolution" or not _at_each_pixel(convolved):
        return None
    padded, kernels = node.input_value(0).get_node(), _constant(node.input_value(1))
    if padded.get_type_name() != "Pad" or padded.get_attributes()["pad_mode"] == "constant" or kernels is None:
        return None
    planes, before, after, _ = padded.input_values()
    if planes.get_shape()[1] > FEW:
        return None
    levels, white = _in_levels(planes)
    mean = operations.reduce_mean(levels, np.array(PLANE), True)
    if white is not None:
        mean, kernels = operations.round(mean, "half_to_even"), kernels / white
    around = operations.pad(operations.subtract(levels, mean), before, after, padded.get_attributes()["pad_mode"])
    return _convolved(around, kernels, 1)


def _in_levels(planes: openvino.Output) -> tuple[openvino.Output, float | None]:
    """Planes of a frame in whole levels, which half precision holds if of 8 bits, and white; other planes, and None."""
    node = planes.get_node()
    scale = _constant(node.input_value(1)) if node.get_type_name() == "Multiply" else None
    if scale is None or scale.size != 1:
        return planes, None
    levels = node.input_value(0)
    whole = levels.get_node().input_value(0).get_node() if levels.get_node().get_type_name() == "Transpose" else None
    if whole is None or whole.get_type_name() != "Convert" or not whole.input_value(0).get_element_type().is_integral():
        return planes, None
    return levels, 1 / scale.item()


def _within_planes(normed: openvino.Output) -> bool:
    """Whether a norm is taken of each plane, to spread 1."""
    node = normed.get_node()
    axes, how = _constant(node.input_value(1)), node.get_attributes()
    by_spread = how["normalize_variance"] and how["eps_mode"] == "INSIDE_SQRT"
    return bool(axes is not None and axes.tolist() == PLANE and by_spread)


def _epsilon(normed: openvino.Output) -> float:
    """What is added to a variance, so that its root is never 0."""
    return float(normed.get_node().get_attributes()["eps"])


def _in_blocks(features: openvino.Output | openvino.Node, kernels: Kernels, stride: int) -> openvino.Node:
    """Convolved with kernels of a block, whose pixels are laid out as pixels again."""
    every = np.ascontiguousarray(kernels.reshape(-1, *kernels.shape[3:]))
    return operations.depth_to_space(_convolved(features, every, stride), "blocks_first", BLOCK)


def _convolved(features: openvino.Output | openvino.Node, kernels: Kernels, stride: int) -> openvino.Node:
    return operations.convolution(features, kernels, [stride, stride], [0, 0], [0, 0], [1, 1])


def _part(planes: openvino.Output | openvino.Node, first: int, last: list[int], step: int) -> openvino.Node:
    """Every `step`-th row and column from `first` on to those before `last`."""
    return operations.slice(planes, *(np.array(pair) for pair in ([first] * 2, last, [step] * 2, PLANE)))


def _constant(value: openvino.Output) -> Kernels | None:
    """What is known beforehand."""
    node = value.get_node()
    if node.get_type_name() == "Convert":  # of half precision, in which networks are stored
        node = node.input_value(0).get_node()
    return np.asarray(node.get_data(), np.float32) if node.get_type_name() == "Constant" else None


def _at_each_pixel(convolved: openvino.Output) -> bool:
    """Whether the convolution looks at each pixel of what it is given, and at no others."""
    how = convolved.get_node().get_attributes()
    dense = how["strides"] == how["dilations"] == [1, 1]
    return bool(dense and how["pads_begin"] == how["pads_end"] == [0, 0])


def _doubles(doubled: openvino.Output, small: openvino.Output) -> bool:
    """Whether each pixel is repeated once in each direction."""
    how = doubled.get_node().get_attributes()
    placed = how["coordinate_transformation_mode"], how["nearest_mode"]
    factors = _constant(doubled.get_node().input_value(1))
    if how["mode"] != "nearest" or placed not in REPEATING or any(how["pads_begin"] + how["pads_end"]):
        return False
    if how["shape_calculation_mode"] == "scales" and (factors is None or factors.tolist()[-2:] != [BLOCK, BLOCK]):
        return False
    *others, height, width = small.get_shape()
    return list(doubled.get_shape()) == [*others, BLOCK * height, BLOCK * width]


def _mirrors_one(padded: openvino.Output) -> bool:
    """Whether a border of one pixel is mirrored around each plane."""
    node = padded.get_node()
    before, after = (_constant(node.input_value(place)) for place in (1, 2))
    if before is None or after is None or node.get_attributes()["pad_mode"] != "reflect":
        return False
    return bool(before.tolist() == after.tolist() == [0, 0, 1, 1])
