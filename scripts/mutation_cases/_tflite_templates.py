"""Healthy TFLite files of one operator, or the few that belong together, in a short notation.

A line is `OPERATOR inputs > outputs | options`, a tensor is its type, shape and what it holds: `f2,3` floats that a
call gives, `i3=1,2,3` constants, `f4,2=` constants of any value, `f1,4@` a variable; `-` stands for an input that is
left out. A name before a colon, as in `x:f2,3`, names a tensor that stands in several places. `;` is between
operators, a line that begins with a number is a further subgraph, one that begins with spaces goes on. Types: f
float32, h float16, i int32, l int64, e uint64, o int16, b bool, t string, r resource, c complex64; with a scale q int8,
u uint8, s int16 and a int32, and with that of probabilities p int8, of logarithms d int8, of fractions z int16.
"""

from __future__ import annotations

_LSTM = "f4,2= " * 4 + "f4,4= " * 4
_PROJECTED = "f4,2= " * 4 + "f4,3= " * 4
_HYBRID = "q4,2= " * 4 + "q4,4= " * 4
_TEXT = f"""
UNIDIRECTIONAL_SEQUENCE_LSTM f3,1,2 {_LSTM} - - - f4= f4= f4= f4= - - f1,4@ f1,4@ - - - - > f3,1,4 |
  fusedActivationFunction=4 timeMajor=1
UNIDIRECTIONAL_SEQUENCE_LSTM f1,3,2 {_PROJECTED} f4= f4= f4= f4= f4= f4= f4= f3,4= f3= f1,3@ f1,4@ f4= f4= f4= f4= >
  f1,3,3 | fusedActivationFunction=4
UNIDIRECTIONAL_SEQUENCE_LSTM f1,3,2 - f4,2= f4,2= f4,2= - f4,4= f4,4= f4,4= - - - - f4= f4= f4= - - f1,4@ f1,4@ >
  f1,3,4 | fusedActivationFunction=4
UNIDIRECTIONAL_SEQUENCE_LSTM f1,3,2 {_HYBRID} - - - f4= f4= f4= f4= - - f1,4@ f1,4@ - - - - > f1,3,4 |
  fusedActivationFunction=4 asymmetricQuantizeInputs=1
UNIDIRECTIONAL_SEQUENCE_LSTM q1,3,2 {_HYBRID} - - - a4= a4= a4= a4= - - q1,4@ s1,4@ - - - - > q1,3,4 ~ s0 s0 s0 s0 q0
  | fusedActivationFunction=4
LSTM f1,2 {_LSTM} - - - f4= f4= f4= f4= - - f1,4@ f1,4@ - - - - > f1,4 | fusedActivationFunction=4
LSTM f1,2 {_LSTM} - - - f4= f4= f4= f4= - - f1,4@ f1,4@ > f1,4 | fusedActivationFunction=4
LSTM f1,2 f1,4@ f16,6= f16= f1,4@ > f1,4 f1,4 f1,16 f1,6 | fusedActivationFunction=4 kernelType=1
LSTM u1,2 u1,4 u16,6= a16= s1,4 > u1,4 s1,4 u1,6 s1,16 | fusedActivationFunction=4 kernelType=1
BIDIRECTIONAL_SEQUENCE_LSTM f3,1,2 {_LSTM} - - - f4= f4= f4= f4= - - {_LSTM} - - - f4= f4= f4= f4= - - f1,4@ f1,4@
  f1,4@ f1,4@ - - - - - - - - - > f3,1,4 f3,1,4 | fusedActivationFunction=4 timeMajor=1
BIDIRECTIONAL_SEQUENCE_LSTM f3,1,2 {_HYBRID} - - - f4= f4= f4= f4= - - {_HYBRID} - - - f4= f4= f4= f4= - - f1,4@ f1,4@
  f1,4@ f1,4@ - - - - - - - - - > f3,1,8 | fusedActivationFunction=4 mergeOutputs=1 timeMajor=1
RNN f1,2 f4,2= f4,4= f4= f1,4@ > f1,4 | fusedActivationFunction=1
RNN f1,2 q4,2= q4,4= f4= f1,4@ > f1,4 | fusedActivationFunction=4 asymmetricQuantizeInputs=1
UNIDIRECTIONAL_SEQUENCE_RNN f1,3,2 f4,2= f4,4= f4= f1,4@ > f1,3,4 | fusedActivationFunction=4
UNIDIRECTIONAL_SEQUENCE_RNN f3,1,2 q4,2= q4,4= f4= f1,4@ > f3,1,4 | fusedActivationFunction=4 timeMajor=1
BIDIRECTIONAL_SEQUENCE_RNN f1,3,2 f4,2= f4,4= f4= f1,4@ f4,2= f4,4= f4= f1,4@ - - - > f1,3,4 f1,3,4 |
  fusedActivationFunction=4
BIDIRECTIONAL_SEQUENCE_RNN f1,3,2 q4,2= q4,4= f4= f1,4@ q4,2= q4,4= f4= f1,4@ - - - > f1,3,8 |
  fusedActivationFunction=4 mergeOutputs=1
SVDF f1,3 f4,3= f4,2= f4= f1,8@ > f1,4 | rank=1 fusedActivationFunction=1
SVDF f2,3 f4,3= f4,2= - f2,8@ > f2,2 | rank=2
SVDF f1,3 q4,3= f4,2= f4= f1,8@ > f1,4 | rank=1 asymmetricQuantizeInputs=1
SVDF q1,3 q4,3= s4,2= a4= s1,8@ > q1,4 | rank=1 fusedActivationFunction=1
HASHTABLE > h:r | tableId=1 keyDtype=4 valueDtype=5 ; HASHTABLE_FIND h:r l2 t=x > t2 ; HASHTABLE_SIZE h:r > l1
HASHTABLE > h:r | tableId=2 keyDtype=5 valueDtype=4 ; HASHTABLE_IMPORT h:r t3= l3=1,2,3 > ; HASHTABLE_FIND h:r t3= l=7
  > l3
CALL_ONCE > | initSubgraphIndex=1 ; HASHTABLE > h:r | tableId=3 keyDtype=4 valueDtype=5 ; HASHTABLE_SIZE h:r > l1
1 HASHTABLE > k:r | tableId=3 keyDtype=4 valueDtype=5 ; HASHTABLE_IMPORT k:r l2=1,2 t2= >
CALL_ONCE > | initSubgraphIndex=1 ; VAR_HANDLE > v:r | sharedName=v container= ; READ_VARIABLE v:r > a:f2,3 ; ADD
  a:f2,3 f2,3 > n:f2,3 ; ASSIGN_VARIABLE v:r n:f2,3 >
1 VAR_HANDLE > w:r | sharedName=v container= ; ASSIGN_VARIABLE w:r f2,3= >
VAR_HANDLE > v:r | sharedName=v container= ; ASSIGN_VARIABLE v:r f2,3 > ; READ_VARIABLE v:r > f2,3
IF b1 x:f2 y:f2 > f2 | thenSubgraphIndex=1 elseSubgraphIndex=2
1 ADD p:f2 q:f2 > f2
2 MUL p:f2 q:f2 > f2
WHILE n:i x:f2 > i f2 | condSubgraphIndex=1 bodySubgraphIndex=2
1 INPUT n:i x:f2 ; LESS n:i i=3 > b
2 INPUT n:i x:f2 ; ADD n:i i=1 > i ; ADD x:f2 f1=1 > f2
WHILE n:i x:f2 > i f2 | condSubgraphIndex=1 bodySubgraphIndex=2
1 INPUT n:i x:f2 ; LESS n:i i=3 > b
2 INPUT n:i x:f2 ; ADD n:i i=1 > i ; CONCATENATION x:f2 x:f2 > f4 | axis=0
EMBEDDING_LOOKUP i2=1,2 f3,4= > f2,4
EMBEDDING_LOOKUP i2=0,2 q3,4= > f2,4
EMBEDDING_LOOKUP_SPARSE i3=1,2,0 i3,2=0,0,0,1,1,0 i2=2,4 f3= f4,5= > f2,5 | combiner=0
HASHTABLE_LOOKUP i2=1,2 i3=0,1,2 f3,4= > f2,4 u2
HASHTABLE_LOOKUP i2=1,2 i3=0,1,2 t3= > t2 u2
LSH_PROJECTION f2,3= i4 f4= > i2 | type=1
SKIP_GRAM t=ab > t1 | ngramSize=2 maxSkipSize=1
DENSIFY f2,3=# > d:f2,3 ; ADD d:f2,3 f2,3 > f2,3
FULLY_CONNECTED f1,3 f2,3=# f2= > f1,2
FULLY_CONNECTED q1,3 q2,3= a2= > q1,2
FULLY_CONNECTED f1,3 q2,3= f2= > f1,2 | asymmetricQuantizeInputs=1
FULLY_CONNECTED u1,16 u4,16= a4= > s1,4 u1,16 | weightsFormat=1
CONV_2D f1,4,4,2 f3,2,2,2= f3= > f1,3,3,3 | strideW=1 strideH=1 padding=1 fusedActivationFunction=1
CONV_2D q1,4,4,2 q3,2,2,2=* a3=* > q1,4,4,3 | strideW=1 strideH=1
CONV_2D f1,4,4,2 q3,2,2,2=* f3= > f1,4,4,3 | strideW=1 strideH=1
CONV_2D f1,4,4,4 f4,2,2,2= f4= > f1,4,4,4 | strideW=1 strideH=1
DEPTHWISE_CONV_2D f1,4,4,2 f1,2,2,4= f4= > f1,4,4,4 | strideW=1 strideH=1 depthMultiplier=2
DEPTHWISE_CONV_2D q1,4,4,2 q1,2,2,2=* a2=* > q1,4,4,2 | strideW=1 strideH=1 depthMultiplier=1
TRANSPOSE_CONV i4=1,4,4,3 f3,2,2,2= f1,2,2,2 f3= > f1,4,4,3 | strideW=2 strideH=2
TRANSPOSE_CONV i4=1,4,4,3 q3,2,2,2=* q1,2,2,2 a3=* > q1,4,4,3 | strideW=2 strideH=2
CONV_3D f1,3,3,3,2 f2,2,2,2,3= f3= > f1,3,3,3,3 | strideD=1 strideW=1 strideH=1
CONV_3D_TRANSPOSE i5=1,4,4,4,3 f2,2,2,3,2= f1,2,2,2,2 f3= > f1,4,4,4,3 | strideD=2 strideW=2 strideH=2
BATCH_MATMUL f2,3,4 f2,4,5 > f2,3,5
BATCH_MATMUL f2,3,4 q4,5= > f2,3,5 | asymmetricQuantizeInputs=1
BATCH_MATMUL q2,3,4 q2,4,5 > q2,3,5
AVERAGE_POOL_2D q1,4,4,2 > q1,2,2,2 | strideW=2 strideH=2 filterWidth=2 filterHeight=2
MAX_POOL_2D f1,4,4,2 > f1,2,2,2 | strideW=2 strideH=2 filterWidth=2 filterHeight=2
L2_POOL_2D f1,4,4,2 > f1,2,2,2 | strideW=2 strideH=2 filterWidth=2 filterHeight=2
LOCAL_RESPONSE_NORMALIZATION f1,2,2,3 > f1,2,2,3 | radius=1 bias=1.0 alpha=1.0 beta=0.5
CONCATENATION f2,3 f2,3 > f4,3 | axis=0
CONCATENATION q2,3 q2,3 q2,1 > q2,7 | axis=1
PACK f2,3 f2,3 > f2,2,3 | valuesCount=2
UNPACK f2,3 > f3 f3 | num=2
SPLIT i=1 f2,4 > f2,2 f2,2 | numSplits=2
SPLIT_V f4,2 i2=1,3 i=0 > f1,2 f3,2 | numSplits=2
GATHER f4,3 i2=1,3 > f2,3
GATHER f2,4,3 i2,2 > f2,2,3 | axis=1 batchDims=1
GATHER t4= i2 > t2
GATHER_ND f4,3 i2,1=1,2 > f2,3
SCATTER_ND i2,1=1,2 f2,3 i2=4,3 > f4,3
SPARSE_TO_DENSE i2=1,2 i1=4 f2 f=0 > f4
SPARSE_TO_DENSE i2,2=0,1,1,1 i2=2,2 f2= f=0 > f2,2
DYNAMIC_UPDATE_SLICE f4,3 f2,3 i2=1,0 > f4,3
SLICE f4,3 i2=1,0 i2=2,-1 > f2,3
STRIDED_SLICE f4,3 i2=0,0 i2=3,2 i2=1,1 > f3,2
STRIDED_SLICE t4= i1=0 i1=3 i1=2 > t2
TILE f2,3 i2=2,1 > f4,3
TILE t2= i1=2 > t4
BROADCAST_TO f1,3 i2=2,3 > f2,3
BROADCAST_ARGS i2 i2=1,1 > i2
FILL i2=2,3 f=1 > f2,3
FILL i1 t=x > t3
RANGE i=0 i=6 i=2 > i3
RANGE f f f > f3
ONE_HOT i2 i=3 f=1 f=0 > f2,3 | axis=-1
PAD f2,3 i2,2=1,1,0,2 > f4,5
PADV2 f2,3 i2,2=1,1,0,2 f=1 > f4,5
MIRROR_PAD f4,3 i2,2=1,1,0,2 > f6,5
RESHAPE f2,3 i1=6 > f6
RESHAPE t2= i2=2,1 > t2,1
SQUEEZE f1,3 > f3
EXPAND_DIMS f3 i=0 > f1,3
TRANSPOSE f2,3,4 i3=2,0,1 > f4,2,3
SHAPE f2,3 > i2 | outType=2
RANK f2,3 > i
REVERSE_V2 f2,3 i1=1 > f2,3
REVERSE_SEQUENCE f3,4 i3=1,2,3 > f3,4 | seqDim=1
SPACE_TO_DEPTH f1,4,4,2 > f1,2,2,8 | blockSize=2
DEPTH_TO_SPACE f1,2,2,8 > f1,4,4,2 | blockSize=2
SPACE_TO_BATCH_ND f1,4,4,2 i2=2,2 i2,2=0,0,0,0 > f4,2,2,2
BATCH_TO_SPACE_ND f4,2,2,2 i2=2,2 i2,2=0,0,0,0 > f1,4,4,2
RESIZE_BILINEAR f1,2,2,1 i2=4,4 > f1,4,4,1
RESIZE_NEAREST_NEIGHBOR q1,2,2,1 i2=4,4 > q1,4,4,1
MEAN f2,3 i1=1 > f2
MEAN q1,4,4,2 i2=1,2 > q1,2
SUM q2,3 i1=0 > q3
REDUCE_PROD f2,3 i1=1 > f2
REDUCE_MAX q2,3 i1=1 > q2
REDUCE_ANY b2,3 i1=1 > b2
ARG_MAX f2,3 i=1 > l2 | outputType=4
TOPK_V2 f2,3 i=2 > f2,2 i2,2
CUMSUM f2,3 i=1 > f2,3
UNIQUE f4 > f3 i4 | idxOutType=2
WHERE b2,3 > l2,2
SEGMENT_SUM f4,3 i4=0,0,1,2 > f3,3
UNSORTED_SEGMENT_SUM f4,3 i4=0,0,1,2 i=3 > f3,3
UNSORTED_SEGMENT_MAX f4,3 i4 i=4 > f4,3
NON_MAX_SUPPRESSION_V4 f4,4 f4 i=2 f=0.5 f=0.1 > i2 i
NON_MAX_SUPPRESSION_V5 f4,4 f4 i=2 f=0.5 f=0.1 f=0.5 > i2 f2 i
BUCKETIZE f4 > i4 | boundaries=0.0,1.0,2.0
MULTINOMIAL f2,3 i=4 > l2,4
RANDOM_UNIFORM i2=2,3 > f2,3
RANDOM_STANDARD_NORMAL i2 > f2,3
RFFT2D f1,4,4 i2=4,4 > c1,4,3
MATRIX_DIAG f3 > f3,3
MATRIX_SET_DIAG f3,3 f3 > f3,3
SELECT b2 f2 f2 > f2
SELECT_V2 b2,1 f1,3 f2,3 > f2,3
PRELU f1,2,2,3 f1,1,3= > f1,2,2,3
PRELU q1,2,2,3 q1,1,3= > q1,2,2,3
CAST f2,3 > i2,3
BITCAST f2,3 > i2,3
QUANTIZE f2,3 > q2,3
QUANTIZE q2,3 > u2,3
DEQUANTIZE q2,3 > f2,3
DEQUANTIZE h2,3= > d:f2,3 ; ADD d:f2,3 f2,3 > f2,3
SOFTMAX q1,3 > p1,3 | beta=1.0
LOG_SOFTMAX q1,3 > d1,3
SOFTMAX s1,3 > z1,3 | beta=1.0
L2_NORMALIZATION q1,3 > q1,3
LOGISTIC q2,3 > p2,3
TANH s2,3 > z2,3
HARD_SWISH q2,3 > q2,3
LEAKY_RELU q2,3 > q2,3 | alpha=0.1
GELU q2,3 > q2,3
ELU q2,3 > q2,3
EXP q2,3 > q2,3
RSQRT q2,3 > q2,3
ADD q2,3 q1,3 > q2,3
SUB s2,3 s2,3 > s2,3
MUL q2,3 q2,1 > q2,3
DIV u2,3 u2,3 > u2,3
DIV f2,3 f2,3 > f2,3
FLOOR_DIV f2,3 f2,3 > f2,3
FLOOR_MOD i2,3 i2,3=1,2,3,4,5,6 > i2,3
POW f2,3 f2,3 > f2,3
MAXIMUM q2,3 q1,3 > q2,3
LESS q2,3 q2,1 > b2,3
EQUAL t2= t2= > b2
SQUARED_DIFFERENCE q2,3 q2,3 > q2,3
ADD_N f2,3 f2,3 f2,3 > f2,3
RIGHT_SHIFT i2,3 i2,3 > i2,3
BITWISE_XOR i2,3 i2,3 > i2,3
ATAN2 f2,3 f2,3 > f2,3
FAKE_QUANT f2 > f2 | min=-1.0 max=1.0 numBits=8
STABLEHLO_ADD f2,3 f2,3 > f2,3
STABLEHLO_DIVIDE i2,3 i2,3=1,2,3,4,5,6 > i2,3
STABLEHLO_CLAMP f=0 f2,3 f=1 > f2,3
STABLEHLO_SELECT b2,3 f2,3 f2,3 > f2,3
STABLEHLO_COMPARE f2,3 f2,3 > b2,3 | comparisonDirection=0
STABLEHLO_CONVERT f2,3 > i2,3
STABLEHLO_RNG_BIT_GENERATOR e2= > e2 i2,3 | algorithm=1
STABLEHLO_SHIFT_LEFT i2,3 i2,3 > i2,3
STABLEHLO_COMPOSITE x:f2 > f2 | name=odml.x decompositionSubgraphIndex=1
1 ABS y:f2 > f2
DILATE f2,3 i2=2,2 f=0 > f3,5
REDUCE_WINDOW f2,3 f=0 l2=1,2 l2=1,1 l2=1,1 > f2,2 | reduceFunction=1
"""


def lines() -> list[str]:
    """The templates, each with its further subgraphs on lines of their own."""
    found: list[str] = []
    for line in _TEXT.replace("\n  ", " ").strip().splitlines():
        if line[0].isdigit():
            found[-1] += "\n" + line[2:]
        else:
            found.append(line)
    return found
