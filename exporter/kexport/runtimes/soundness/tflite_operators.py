"""The built-in operators of TFLite: which options each has, and how many inputs and outputs.

A kernel checks few of these counts and none of the gaps among its inputs: it follows the null pointer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

#: Code, name, number of the options (`-`: none; `/n`: of the second union), inputs and outputs: `2`, `2-3`, `1+` or
#: a list of such; `?2` after the inputs: the operand 2 (or those from it on: `?2+`) may be left out with -1. Then the
#: types of inputs and outputs, as `tflite_types` reads them.
_TEXT = """
0 ADD 11 2 1 TT>T
1 AVERAGE_POOL_2D 5 1 1 T>T
2 CONCATENATION 10 1+ 1 A+>A
3 CONV_2D 1 2-3?2 1 Tnn>W
4 DEPTHWISE_CONV_2D 2 3 1 Tnn>W
5 DEPTH_TO_SPACE 94 1 1 T>T
6 DEQUANTIZE 38 1 1 n>f
7 EMBEDDING_LOOKUP - 2 1 In>n
8 FLOOR - 1 1 T>T
9 FULLY_CONNECTED 8 2-3?2 1-2 Tnn>W
10 HASHTABLE_LOOKUP - 3 2 IIA>Au
11 L2_NORMALIZATION 12 1 1 T>T
12 L2_POOL_2D 5 1 1 T>T
13 LOCAL_RESPONSE_NORMALIZATION 13 1 1 T>T
14 LOGISTIC - 1 1 T>T
15 LSH_PROJECTION 4 2-3 1 FnF>I
16 LSTM 14 5,20,24?1+ 1,4 n+>n+
17 MAX_POOL_2D 5 1 1 T>T
18 MUL 21 2 1 TT>T
19 RELU - 1 1 T>T
20 RELU_N1_TO_1 - 1 1 T>T
21 RELU6 - 1 1 T>T
22 RESHAPE 17 1-2 1 Ai>A
23 RESIZE_BILINEAR 15 2 1 TI>T
24 RNN 7 5 1 FnnFF>F
25 SOFTMAX 9 1 1 T>W
26 SPACE_TO_DEPTH 19 1 1 T>T
27 SVDF 6 5?3 1 n+>n
28 TANH - 1 1 T>T
29 CONCAT_EMBEDDINGS 3 1+ 1 *
30 SKIP_GRAM 18 1 1 s>s
31 CALL 16 0+ 0+ *
32 CUSTOM - 0+?0+ 0+ *
33 EMBEDDING_LOOKUP_SPARSE 20 5 1 IIIFF>F
34 PAD 22 2 1 Ti>T
35 UNIDIRECTIONAL_SEQUENCE_RNN 31 5 1 FnnFF>F
36 GATHER 23 2 1 Ai>A
37 BATCH_TO_SPACE_ND 24 3 1 TII>T
38 SPACE_TO_BATCH_ND 25 3 1 TII>T
39 TRANSPOSE 26 2 1 Ti>T
40 MEAN 27 2 1 TI>T
41 SUB 28 2 1 TT>T
42 DIV 29 2 1 TT>T
43 SQUEEZE 30 1 1 A>A
44 UNIDIRECTIONAL_SEQUENCE_LSTM 71 20,24?1+ 1 n+>n
45 STRIDED_SLICE 32 4 1 Aiii>A
46 BIDIRECTIONAL_SEQUENCE_RNN 70 12?9+ 1-2 FnnFFnnFFn+>F+
47 EXP 33 1 1 T>T
48 TOPK_V2 34 2 2 Ti>Ti
49 SPLIT 35 2 1+ IA>A+
50 LOG_SOFTMAX 36 1 1 T>T
52 BIDIRECTIONAL_SEQUENCE_LSTM 69 48?1+ 1-2 n+>n+
53 CAST 37 1 1 n>n
54 PRELU - 2 1 TT>T
55 MAXIMUM 39 2 1 TT>T
56 ARG_MAX 40 2 1 Ti>i
57 MINIMUM 39 2 1 TT>T
58 LESS 41 2 1 TT>b
59 NEG 42 1 1 T>T
60 PADV2 43 3 1 TiT>T
61 GREATER 44 2 1 TT>b
62 GREATER_EQUAL 45 2 1 TT>b
63 LESS_EQUAL 46 2 1 TT>b
64 SELECT 47 3 1 bAA>A
65 SLICE 48 3 1 Aii>A
66 SIN - 1 1 T>T
67 TRANSPOSE_CONV 49 3-4?3 1 InTn>W
68 SPARSE_TO_DENSE 50 4 1 iiAA>A
69 TILE 51 2 1 Ai>A
70 EXPAND_DIMS 52 2 1 Ai>A
71 EQUAL 53 2 1 AA>b
72 NOT_EQUAL 54 2 1 AA>b
73 LOG - 1 1 T>T
74 SUM 27 2 1 TI>T
75 SQRT - 1 1 T>T
76 RSQRT - 1 1 T>T
77 SHAPE 55 1 1 A>i
78 POW 56 2 1 TT>T
79 ARG_MIN 57 2 1 Ti>i
80 FAKE_QUANT 58 1 1 F>F
81 REDUCE_PROD 27 2 1 TI>T
82 REDUCE_MAX 27 2 1 TI>T
83 PACK 59 1+ 1 A+>A
84 LOGICAL_OR 60 2 1 bb>b
85 ONE_HOT 61 4 1 iITT>T
86 LOGICAL_AND 62 2 1 bb>b
87 LOGICAL_NOT 63 1 1 b>b
88 UNPACK 64 1 1+ A>A+
89 REDUCE_MIN 27 2 1 TI>T
90 FLOOR_DIV 65 2 1 TT>T
91 REDUCE_ANY 27 2 1 bI>b
92 SQUARE 66 1 1 T>T
93 ZEROS_LIKE 67 1 1 T>T
94 FILL 68 2 1 iA>A
95 FLOOR_MOD 72 2 1 TT>T
96 RANGE 73 3 1 TTT>T
97 RESIZE_NEAREST_NEIGHBOR 74 2 1 TI>T
98 LEAKY_RELU 75 1 1 T>T
99 SQUARED_DIFFERENCE 76 2 1 TT>T
100 MIRROR_PAD 77 2 1 Ti>T
101 ABS 78 1 1 T>T
102 SPLIT_V 79 3 1+ AiI>A+
103 UNIQUE 80 1 2 T>Ti
104 CEIL - 1 1 T>T
105 REVERSE_V2 81 2 1 Ai>A
106 ADD_N 82 1+ 1 T+>T
107 GATHER_ND 83 2 1 Ai>A
108 COS 84 1 1 T>T
109 WHERE 85 1 1 n>i
110 RANK 86 1 1 A>I
111 ELU - 1 1 T>T
112 REVERSE_SEQUENCE 87 2 1 Ti>T
113 MATRIX_DIAG 88 1 1 M>M
114 QUANTIZE 89 1 1 n>q
115 MATRIX_SET_DIAG 90 2 1 MM>M
116 ROUND - 1 1 T>T
117 HARD_SWISH 91 1 1 T>T
118 IF 92 1+ 0+ *
119 WHILE 93 1+ 1+ *
120 NON_MAX_SUPPRESSION_V4 95 5 2 ffIff>II
121 NON_MAX_SUPPRESSION_V5 96 6 3 ffIfff>IfI
122 SCATTER_ND 97 3 1 iAi>A
123 SELECT_V2 98 3 1 bAA>A
124 DENSIFY 99 1 1 T>T
125 SEGMENT_SUM 100 2 1 Ti>T
126 BATCH_MATMUL 101 2 1 Bn>W
128 CUMSUM 102 2 1 TI>T
129 CALL_ONCE 103 0 0 *
130 BROADCAST_TO 104 2 1 Ai>A
131 RFFT2D 105 2 1 nI>c
132 CONV_3D 106 2-3?2 1 Tnn>W
133 IMAG - 1 1 c>f
134 REAL - 1 1 c>f
135 COMPLEX_ABS - 1 1 c>f
136 HASHTABLE 107 0 1 >r
137 HASHTABLE_FIND 108 3 1 rkk>k
138 HASHTABLE_IMPORT 109 3 0 rkk>
139 HASHTABLE_SIZE 110 1 1 r>i
140 REDUCE_ALL 27 2 1 bI>b
141 CONV_3D_TRANSPOSE 106 3-4?3 1 InTn>W
142 VAR_HANDLE 111 0 1 >r
143 READ_VARIABLE 112 1 1 r>n
144 ASSIGN_VARIABLE 113 2 0 rn>
145 BROADCAST_ARGS - 2 1 ii>i
146 RANDOM_STANDARD_NORMAL 114 1 1 i>f
147 BUCKETIZE 115 1 1 n>I
148 RANDOM_UNIFORM 114 1 1 i>f
149 MULTINOMIAL 114 2 1 fi>i
150 GELU 116 1 1 T>T
151 DYNAMIC_UPDATE_SLICE 117 3 1 TTi>T
152 RELU_0_TO_1 - 1 1 T>T
153 UNSORTED_SEGMENT_PROD 118 3 1 Tii>T
154 UNSORTED_SEGMENT_MAX 119 3 1 Tii>T
155 UNSORTED_SEGMENT_SUM 121 3 1 Tii>T
156 ATAN2 122 2 1 TT>T
157 UNSORTED_SEGMENT_MIN 120 3 1 Tii>T
158 SIGN 123 1 1 T>T
159 BITCAST 124 1 1 n>n
160 BITWISE_XOR 125 2 1 TT>T
161 RIGHT_SHIFT 126 2 1 TT>T
162 STABLEHLO_LOGISTIC - 1 1 T>T
163 STABLEHLO_ADD - 2 1 TT>T
164 STABLEHLO_DIVIDE - 2 1 TT>T
165 STABLEHLO_MULTIPLY - 2 1 TT>T
166 STABLEHLO_MAXIMUM - 2 1 TT>T
167 STABLEHLO_RESHAPE - 1 1 T>T
168 STABLEHLO_CLAMP - 3 1 *
169 STABLEHLO_CONCATENATE /1 1+ 1 T+>T
170 STABLEHLO_BROADCAST_IN_DIM /2 1 1 T>T
171 STABLEHLO_CONVOLUTION /4 2 1 *
172 STABLEHLO_SLICE /3 1 1 T>T
173 STABLEHLO_CUSTOM_CALL /5 0+ 0+ *
174 STABLEHLO_REDUCE /6 2+ 1+ *
175 STABLEHLO_ABS - 1 1 T>T
176 STABLEHLO_AND - 2 1 TT>T
177 STABLEHLO_COSINE - 1 1 T>T
178 STABLEHLO_EXPONENTIAL - 1 1 T>T
179 STABLEHLO_FLOOR - 1 1 T>T
180 STABLEHLO_LOG - 1 1 T>T
181 STABLEHLO_MINIMUM - 2 1 TT>T
182 STABLEHLO_NEGATE - 1 1 T>T
183 STABLEHLO_OR - 2 1 TT>T
184 STABLEHLO_POWER - 2 1 TT>T
185 STABLEHLO_REMAINDER - 2 1 TT>T
186 STABLEHLO_RSQRT - 1 1 T>T
187 STABLEHLO_SELECT - 3 1 bTT>T
188 STABLEHLO_SUBTRACT - 2 1 TT>T
189 STABLEHLO_TANH - 1 1 T>T
190 STABLEHLO_SCATTER /7 3 1 *
191 STABLEHLO_COMPARE /8 2 1 TT>b
192 STABLEHLO_CONVERT - 1 1 n>n
193 STABLEHLO_DYNAMIC_SLICE /9 2+ 1 *
194 STABLEHLO_DYNAMIC_UPDATE_SLICE - 3+ 1 *
195 STABLEHLO_PAD /10 2 1 TT>T
196 STABLEHLO_IOTA /11 0 1 *
197 STABLEHLO_DOT_GENERAL /12 2 1 *
198 STABLEHLO_REDUCE_WINDOW /13 2+ 1+ *
199 STABLEHLO_SORT /14 1+ 1+ *
200 STABLEHLO_WHILE /15 0+ 0+ *
201 STABLEHLO_GATHER /16 2 1 *
202 STABLEHLO_TRANSPOSE /17 1 1 T>T
203 DILATE /18 3 1 *
204 STABLEHLO_RNG_BIT_GENERATOR /19 1 2 *
205 REDUCE_WINDOW /20 5 1 *
206 STABLEHLO_COMPOSITE /21 0+ 0+ *
207 STABLEHLO_SHIFT_LEFT /22 2 1 TT>T
208 STABLEHLO_CBRT - 1 1 T>T
209 STABLEHLO_CASE /23 1+ 0+ *
"""

_MANY = 1 << 30


@dataclass(frozen=True)
class Counts:
    """How many operands an operator may have: ranges, both ends included."""

    text: str
    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, count: int) -> bool:
        return any(low <= count <= high for low, high in self.ranges)


@dataclass(frozen=True)
class OperatorKind:
    """What a built-in operator must look like.

    Attributes:
        name: in the schema.
        options: the number of its options in the first union, 0 for none.
        options_2: the same for the second union.
        inputs: how many it has.
        outputs: how many it has.
        optional: which inputs may be left out.
        types: of its inputs and outputs, as `tflite_types` reads them.
    """

    name: str
    options: int
    options_2: int
    inputs: Counts
    outputs: Counts
    optional: range
    types: str


def _counts(text: str) -> Counts:
    ranges = []
    for part in text.split(","):
        low, dash, high = part.rstrip("+").partition("-")
        ranges.append((int(low), _MANY if part.endswith("+") else int(high) if dash else int(low)))
    return Counts(text, tuple(ranges))


_LINES = {int(line.split(maxsplit=1)[0]): line for line in _TEXT.strip().splitlines()}


@cache
def kind_of(code: int) -> OperatorKind | None:
    """What the built-in operator of that number must look like; None where it is newer than this table."""
    if code not in _LINES:
        return None
    _, name, options, inputs, outputs, types = _LINES[code].split()
    count, _, gap = inputs.partition("?")
    first = int(gap.rstrip("+")) if gap else 0
    optional = range(first, _MANY if gap.endswith("+") else first + bool(gap))
    second = int(options[1:]) if options.startswith("/") else 0
    number = 0 if options == "-" or second else int(options)
    return OperatorKind(name, number, second, _counts(count), _counts(outputs), optional, types)
