"""Every constant that was chosen, with its unit, its reason and where it was found.

"Found" names the section of ``docs/benchmarks/defaults`` that holds the experiment;
a constant without it is a limit of time or memory, or follows from arithmetic. Every
room may read this module, which imports nothing.
"""

# Columns and numbers ---------------------------------------------------------------

# Rows from which an object column of strings is handed to Arrow: below, making the
# Arrow array costs more than a dictionary.
ARROW_ROWS = 20_000
# Most quantile bins of a number: one for each day of a year, which is fine enough for
# what layers would smooth away. Found: "Rows in a bin of a number".
MAX_BINS = 366
# Bins of all numbers together, and those that each may have in any case: of more than a
# hundred numbers most say little. Found: "Wide tables".
ALL_BINS, LEAST_BINS = 24 * 366, 64
# Rows per bin, on average: a row alone in its bin cannot be told from noise.
# Found: "Rows in a bin of a number".
ROWS_PER_BIN = 4
# Rows that are hashed at a time: what is in between stays in the cache.
HASH_ROWS = 1 << 15
# Cells of the grid that says in which bin a number is, and most cuts in one of them.
GRID_CELLS, GRID_MOST = 4096, 8
# Most knots of the piecewise-linear encoding of a number, less one: its pieces.
MAX_KNOTS = 16
# Standard deviations beyond which a number is no farther away: its square is finite,
# and it is squashed to 3 long before.
FARTHEST = 1e100
# Standard deviations beyond which a number takes the slopes of tokens no farther: an
# outlier would be all that a slope is learned of.
SLOPE_FARTHEST = 5.0
# Standard deviations from the mean of a number within which its slopes are counted, and
# by how many squared standard errors of their variance this is doubted.
SLOPE_ORIGIN, SLOPE_DOUBT = 4.0, 4.0
# Waves of a curve that varies by token.
VARYING_WAVES = 6
# Sweeps over the columns of a sum of their effects.
ADDITIVE_SWEEPS = 4
# Crosses that are chosen at most, standard errors that the evidence for one must have,
# how many more pairs than tokens there must be, and rows that are looked at.
MOST_CROSSES, CROSS_EVIDENCE, CROSS_GROWTH = 5, 5.0, 1.2
CROSS_ROWS = 200_000
# Rows of a pair of tokens beyond which more of them count less and less.
CROSS_CELL = 10.0
# Parts of equal rows that a number is cut into, and how alike rows of a pair must be,
# beyond the part next to theirs, over those of all. Found: "Pairs that are alike only
# nearby".
FAR_PARTS, FAR_ALIKE = 8, 0.5
# Powers of two, up and down, of a column's range up to which its numbers are taken as
# they are: the squares of their distances stay well inside of float32.
PLAIN_EXPONENT = 60

# Steps are counted by the sum of the weights, up to so many rows, or so many times the
# rows that were given: large weights would take steps without end.
COUNTED_ROWS, COUNTED_PER_ROW = 1_000_000, 10
# Greatest sum of weights: beyond, float32 cannot hold what the engine multiplies.
MAX_WEIGHT = 1e15
# Least mean weight without a warning that little is learned.
LEAST_MEAN_WEIGHT = 0.1
# Largest outcome in size: sums of squares of many stay finite in float64.
MAX_OUTCOME = 1e140
# Classes that whole numbers may be taken for where nobody says what they are.
MAX_CLASSES = 36

# Rows in files ---------------------------------------------------------------------

# Most cells (rows times columns) of a source that are simply read: with all that a fit
# makes of them they take about 2 GB.
IN_MEMORY_CELLS = 1 << 24
# Rows that are read and coded at a time, by each thread; rows of a batch of pyarrow,
# and batches that it reads ahead.
CHUNK_ROWS, BATCH_ROWS, BATCHES_AHEAD = 1 << 17, 1 << 17, 4
# Rows that scales, quantiles, noise and intervals are read from: the share of rows in
# one of `MAX_BINS` bins is known to a twentieth.
SURVEY_ROWS = 1 << 19
# Most cells of whatever is held of them at a time: of wide tables there are fewer rows.
# But so many rows scales and quantiles are read from at least.
PIECE_CELLS, SURVEY_LEAST = 1 << 24, 20_000
# Most of them that early stopping holds out: their loss is computed in every epoch.
HELD_OUT_ROWS = 1 << 18
# Most threads that code pieces: each holds one, and one thread reads for all of them.
PIECE_THREADS = 8
# Distinct tokens that are collected before they are merged for the first time.
TALLY_LEAST = 1 << 20
# Rows of a bucket on the disk, and most buckets, each of which is an open file; rows of
# a block that is trained on before the next is read.
BUCKET_ROWS, MAX_BUCKETS, BLOCK_ROWS = 1 << 16, 128, 1 << 20

# Seconds between two looks at a process of a fit; seconds that are waited for what the
# others have to say, once one has failed.
WATCH_SECONDS, GRACE_SECONDS = 0.2, 5.0
# Ports that processes of a fit listen on, and how often they try to meet on others.
PORTS, MEETINGS = (15_000, 32_000), 3
# Bytes that a process hands to the others at a time, outside of steps.
MESSAGE_BYTES = 1 << 26

# Rows of a table of vectors that are laid out for training, or read back, at a time;
# and of the data that are counted, or scaled.
TABLE_ROWS = 1 << 18

# Seconds between two lines of progress of a pass.
LINE_SECONDS = 10.0

# The network -----------------------------------------------------------------------

# Units of the hidden layers.
HIDDEN_LAYER_SIZES = (64, 64)
# Least and greatest length of vectors under embedding_dim="auto", and numbers per
# decade of tokens between them. Found: "Beside the table".
MIN_DIM, MAX_DIM, DIMS_PER_DECADE = 4, 8, 4
# Outputs up to which each has a coordinate of its own under embedding_dim="auto".
# Found: "Several classes".
MAX_DIRECT = 32
# Spread of the vectors' means before training, in prior standard deviations, and their
# posterior standard deviation then. Found: "Beside the table".
START_MEAN, START_SD = 0.3, 0.2
# Root mean square of y between which a bare network, which does not scale it, can learn
# it at Keras's rates.
PLAIN_LEAST, PLAIN_MOST = 1e-2, 1e3
# Half of the range of point vectors before training: Keras's own.
POINT_START = 0.05
# Least log of the noise scale, in units of the outcome's spread: the density of an
# outcome without noise stays finite.
MIN_LOG_NOISE = -7.0
# Logs of the noise scale among which that of rows held out is.
LOG_NOISES = MIN_LOG_NOISE, 7.0
# Least log of a prior scale: that of a column without effects is almost no width.
MIN_LOG_SCALE = -5.0
# Bend of Huber's density, in noise scales: 95 % efficient under normal noise (Huber
# 1981, "Robust Statistics", section 4.5).
HUBER_DELTA = 1.35

# Training: steps and rates ---------------------------------------------------------

# Epochs in which the additive part is trained alone, over those of everything together
# where epochs="auto", and over all where epochs is given; and with "auto" at most so
# many times more, up to so many rows in all. Found: "The additive part first",
# "Batches that grow".
ADDITIVE_EPOCHS, ADDITIVE_MORE, ADDITIVE_ROWS = 0.3, 2.0, 600_000
# Epochs of the additive part after which scales that stay beside layers are found; with
# fewer, as of large tables or few epochs that are given, they go on.
# Found: "Scales of rates beside layers".
SCALES_FOUND = 10
# Share of the first-order effects that the layers begin beside. From all of them none
# of their weights has a slope to follow, and weak interactions are never found.
# Found: "The additive part first".
EFFECTS_KEPT = 0.5
# Numbers whose bins and pieces the layers read at most: those with the largest
# first-order effects. Found: "Wide tables".
MOST_READ = 40
# Learning rate of the dense weights under a prior, before the schedule.
# Found: "How the tables are updated".
LEARNING_RATE = 5e-3
# Passes over a token's rows that move its vector all the way to its posterior.
# Found: "How the tables are updated".
ROW_RATE = 1.0
# Most of the way that a vector moves in one step: beyond, the steps of a token whose
# rows are all in one batch overshoot.
MAX_ROW_STEP = 0.5
# The farthest that the mean of a vector moves in one step where the curvature of the
# loss depends on the output: a count of 20 where 1 was expected, in one of three rows
# of a token, would move it to exp(10).
MAX_MEAN_STEP = 1.0
# The greatest answer of a vector to the probe, in standard deviations of its prior.
MOST_OF_PROBE = 10.0
# Most of its residual that a row takes in one step, with all of its vectors together;
# and where some of these are of slopes and crosses, which say nearly the same as others
# of few rows: what steps overshoot there widens the prior scales, and so on.
MOST_TAKEN, MOST_TAKEN_DIRECT = 1.0, 0.5
# The noise scale's learning rate over that of the other dense weights.
NOISE_RATE = 10.0
# Pace of the priors' means and scales, in full steps per epoch, the most of a full step
# that one step makes, and the most that a full step may change the log of a scale: all
# columns widen at once, and the tokens of each must find their place between the steps.
SCALE_PACE, MAX_SCALE_PACE, MAX_SCALE_STEP = 4.0, 0.25, 0.25
# Pace up to which the priors wait for several steps of the vectors, and then move once.
SCALE_PACE_AT_ONCE = 0.16
# Pace at which it is known how the layers respond to first-order effects, per step, and
# the variance of such effects, in units of the outcome's, from which that counts.
# Found: "Layers that take effects back".
RESPONSE_PACE, LEAST_EFFECT = 0.1, 0.1
# Least and most that a vector knows in the presence of all others, over what it knows
# with these as they are.
SHARES = 0.05, 1.0
# Waves that the curve of a number is made of, and the log of its scale before training.
CURVE_WAVES, START_LOG_CURVE, START_LOG_ROUGH = 12, -1.0, -2.0
# Most waves of all numbers among the features of tokens; text vectors have none. Least
# tokens per feature from which their map is brought to balance.
# Found: "Features of tokens, and parents".
WAVES_OF_FEATURES, TOKENS_PER_FEATURE = 8, 5
# Spreads of the half-normal densities that are the priors of the scales, in units of
# the outcome's: of tokens, of bins about the curve of their number, and of curves.
# Found: "Small tables".
TOKEN_SPREAD, BIN_SPREAD, CURVE_SPREAD = 1.0, 0.15, 1.0
# Spread of the logs of the scales that a column has for each of several classes.
# Found: "Several classes".
CLASS_SPREAD = 1.0
# Precision of the prior that holds kernels to their start, per output, over that of
# Glorot's initialisation, and the rows below which it grows by a power.
# Found: "What holds the layers back", "Several classes".
KERNEL_PRECISION, KERNEL_ROWS, KERNEL_POWER = 0.03, 5000.0, 2.0
# Precision of the prior that holds to the identity what brings first-order effects to
# several outputs; it grows as that of kernels, up to the second.
# Found: "Several classes".
READOUT_PRECISION, READOUT_MOST = 1.0, 30.0
# Precision of the prior of the linear terms, in units of the outcome's spread: of
# numbers that have a curve, which says the same and has a learned scale, and of others.
# Found: "Small tables".
LINEAR_PRECISION, LONE_PRECISION = 300.0, 1.0
# Steps per epoch that batch_size="auto" aims at, and its least and greatest batch in
# rows. Found: "Beside the table".
STEPS_PER_EPOCH, MIN_BATCH, MAX_BATCH = 100, 32, 8192
# The most of each of several shards. Found with benchmarks/machines.py.
MAX_BATCH_OF_SHARD = 32_768
# Parts of the steps after which batch_size="auto" takes twice as many rows, and the
# rows up to which, and share of all rows up to which, it does: larger batches take
# as long per row, and single ones must not be most of the rows.
# Found: "Batches that grow".
GROWN_AFTER, GROWN_MOST, GROWN_SHARE = (0.3, 0.5, 0.7), 1024, 0.25
# Epochs of epochs="auto" up to EPOCHS_ROWS rows; beyond they fall by the power
# EPOCHS_POWER of the rows (10 at ten million).
# Found: "Epochs of tables of some ten thousand rows".
EPOCHS, EPOCHS_ROWS, EPOCHS_POWER = 40, 2.5e4, 0.23
# Least steps and most epochs of epochs="auto". Found: "What holds the layers back".
LEAST_STEPS, MAX_EPOCHS = 1000, 600
# tol of epochs="auto", in nats per observation.
TOL = 1e-4
# Part of the steps over which the learning rate rises to its full height.
RATE_WARM_UP = 0.02
# Part of the steps before the posterior is drawn at its full spread, where columns may
# interact. Found: "What the warm-up starts from".
NOISE_WARM_UP = 0.3
# Power of the way that the share drawn rises by, less one, between so many rows; where
# there are fewer or more it is less. Found: "What the warm-up starts from".
WARM_UP_POWER, WARM_UP_ROWS = 0.5, (5e3, 2.5e4)
# Steps, over those made so far, in which a schedule that `tol` has stopped runs out.
FINISH = 0.1

# Training: rows that come later ----------------------------------------------------

# Least epochs, and least steps, of a chunk of partial_fit whose past is in the priors:
# with more, the layers would overfit the chunk.
CHUNK_EPOCHS, CHUNK_STEPS = 15, 300
# Rows of a stream that are kept, and epochs over them with every chunk.
REPLAY_ROWS, REPLAY_EPOCHS = 50_000, 10
# Share of calibration rows, and the epochs that follow with all rows, over those
# before. Found: "Rows that are learned last".
HELD_BACK, LAST_EPOCHS = 0.1, 0.3
# Which data sets have them: least rows, most rows per dense weight, least columns.
# Found: "Rows that are learned last".
HELD_BACK_ROWS, HELD_BACK_ROWS_PER_WEIGHT, HELD_BACK_COLUMNS = 100, 2.0, 4
# Tables learned anew under a frozen network (folds of the encoder): start of the means
# over what they were; most epochs; steps per epoch, few as no dense weight has to move.
# Found with benchmarks/encoder.py. Rows of a step at most, which bounds the memory.
FRESH_START, FRESH_EPOCHS, FRESH_STEPS, FRESH_BATCH = 0.3, 20, 20, 1 << 18

# Exports ---------------------------------------------------------------------------

# Most combinations of tokens that a graph of ONNX holds as a table, and most where each
# takes as many passes as there are draws behind a standard deviation: some seconds for
# the export, some megabytes in the file.
TABLE_MOST, TABLE_DRAWN = 1 << 17, 1 << 13

# Limits of the engine --------------------------------------------------------------

# Most steps of one call where nothing looks at the run in between.
CALL_STEPS = 256
# First number of the names of a user's own layers: beyond those that Keras gives.
FIRST_NAME = 1000
# Most traced loops that a process keeps.
MAX_TRACES = 32
# Normal numbers that a fit draws from: for so many steps, and least and most of them.
POOL_STEPS, MIN_POOL, MAX_POOL = 64, 1 << 16, 1 << 22
# Rows at a time of a prediction, which bounds memory and stays in the cache, and of
# slopes.
PREDICT_BATCH, SLOPES_BATCH = 8192, 2048
# Half of the difference that slopes of activations and of outcomes are taken by.
SLOPE_STEP = 1e-4
# Antithetic pairs of draws behind a standard deviation of a prediction, and behind
# probabilities of more than two classes; nodes of the rule behind those of two.
STD_PAIRS, CLASS_PAIRS, GAUSS_HERMITE = 64, 32, 12
# Of these pairs, how many a graph of ONNX takes at once: one row needs few steps, many
# rows little memory.
GRAPH_PAIRS = 16
# What a covariance of outputs gets on its diagonal before its root is taken: a share of
# the mean variance, far below the error of the draws and far above that of float32; and
# at least so much, where there is no variance.
ROOT_RIDGE, ROOT_LEAST = 1e-4, 1e-12
# Greatest variance of the logarithm of a mean that is integrated over: with more, such
# as an unknown token's under a wide prior, the mean is that of a few very large ones.
MAX_LOG_VARIANCE = 9.0
# Combinations of tokens, per row and at least, up to which a prediction is computed
# once for each combination.
LOOKUP_PER_ROW, LOOKUP_LEAST = 4, 1000

# Intervals -------------------------------------------------------------------------

# Quantile levels of residuals that are kept: 1/200 to 199/200.
N_LEVELS = 200
# Least rows in the range of the rarest tokens, and most ranges.
# Found: "What sets rows apart in an interval".
RANGE_ROWS, MAX_RANGES = 200, 8
# Rows that the normal density counts as, and all rows for one range.
NORMAL_ROWS = 20.0
# Most of a number's precision, or of a prediction, that one row is taken to have given.
MAX_LEVERAGE = 0.9
# Most different rows, and most cells of their products with each other over the
# columns, up to which what a row gives is computed for all vectors and weights at once:
# some tenths of a second. Found: "Intervals of small tables".
JOINT_ROWS, JOINT_CELLS = 2_000, 4e7
# Rows of their covariance that are computed at a time.
COVARIANCE_ROWS = 256
# Variance of what has no prior there, in units of the outcome's.
FREE_VARIANCE = 100.0

# Noise by row: rows that it is learned from, effects per number at most, bins of the
# prediction, passes over the columns, and steps of each scale in a pass.
NOISE_ROWS, NOISE_BINS, NOISE_CUTS = 50_000, 32, 20
NOISE_PASSES, NOISE_SCALE_STEPS = 15, 3
# Scale of effects on the log variance before they are learned, and spread of the
# half-normal density that is the prior of the scales. Found: "Noise by row".
NOISE_START, NOISE_SPREAD = 0.2, 0.5

# How far outcomes drift along a number: shares of the rows that are learned before the
# others are predicted, share of what an additive fit misses inside of the range that
# counts as missing ahead, too, least importance of a number that is looked at, most of
# them, and rows. Found: "How far outcomes drift".
DRIFT_CUTS, DRIFT_MISSED = (0.5, 0.65, 0.8), 2.0 / 3.0
DRIFT_LEAST, DRIFT_NUMBERS, DRIFT_ROWS = 0.01, 10, 30_000
# Share of a shift of the residuals that `calibrate` takes to last.
# Found: "A shift that lasts".
SHIFT_LASTS = 0.5

# Spread of the normal priors of what `calibrate` learns of log-odds: the logarithm of a
# slope, and shifts.
CALIBRATION_SPREAD = 1.0

# Axes, means and the encoder -------------------------------------------------------

# Share of the posterior variance in the prior's below which a coordinate is in use.
IN_USE = 0.5
# Share of what all vectors do to the outcome below which an axis is left out.
# Found with benchmarks/encoder.py.
LEAST_AXIS = 0.005
# Rows behind the axes, and of how many times as many they are chosen where the rows are
# read in pieces.
AXES_ROWS, AXES_SPARE = 4_000, 4
# Share of the outcome's variance that a column's mean outcomes explain to be shown.
# Found with benchmarks/encoder.py.
LEAST_MEANS = 0.05

# Rows behind `feature_importances_`, most and least, and the most predictions for all
# columns together, which bounds the time where there are hundreds of them.
IMPORTANCE_ROWS, IMPORTANCE_LEAST, IMPORTANCE_PREDICTIONS = 4_000, 200, 1 << 15

# Questions about tokens ------------------------------------------------------------

# Seed and number of draws behind probabilities: a standard error of at most 0.008.
DRAWS_SEED, N_DRAWS = 0, 4096
# Numbers held at once while drawing.
DRAWS_AT_ONCE = 1 << 22
# Tokens behind the slope of outcomes along vectors.
SLOPE_TOKENS = 20_000
# Exact search: queries and points of a block, points of the sample that bounds the
# search, and most candidates held at once.
QUERY_ROWS, POINT_ROWS, SAMPLE_ROWS, MAX_HITS = 256, 4096, 16_384, 1 << 21
# So many draws settle a tie whose share is not between these; all draws settle the
# rest. The bounds are four standard errors and more from the usual confidence, 0.95.
TIE_STAGES = ((128, -0.13, 0.05), (512, -0.07, 0.04))
# All neighbours of all tokens: tokens that are searched at once; tokens from which on a
# tree is quicker, directions that it looks at, candidates that it finds beyond those
# wanted. Directions without the last share of the points' scatter are rounding.
TIES_AT_ONCE, TREE_FROM, TREE_WIDTH, TREE_SPARE = 4_096, 2_000, 20, 50
LEAST_SCATTER = 1e-10
# Greatest weight in a sum of tokens: squares of distances stay finite in float32.
MAX_AMOUNT = 1e15
# Rows predicted at once for profiles.
PROFILE_ROWS = 1 << 17
# Tokens up to which spellings are compared one by one.
MAX_SPELLINGS = 20_000
# Characters of a token that a message shows: two lines, enough to find it by.
SHOWN = 160
# Characters of a token that a plot shows: of the widest they leave room for the data.
LABEL = 30

# The report ------------------------------------------------------------------------

# Tokens of a column that a report holds, the most frequent ones: its file stays below
# 15 MB and opens within seconds. Found with benchmarks/token_report.py.
REPORT_TOKENS = 50_000
# Reference rows behind effects, and the seed that chooses them: those of a
# TokenSimilarity with random_state=0.
REPORT_REFERENCE, REPORT_SEED = 100, 0
# Neighbours on a card, and the bytes that all cards of a column may take for them and
# for the outcomes of rows.
REPORT_NEIGHBORS, REPORT_LIST_BYTES = 10, 3_000_000
# Coverage of the intervals of effects: that of `predict_interval`.
REPORT_COVERAGE = 0.9
# Probability below which the order of two neighbours is a tie: that of `most_similar`.
REPORT_CONFIDENCE = 0.95
# Share of what vectors do to the outcome below which a second direction is rounding.
REPORT_LINE = 1e-8
# Share of the second direction in the first below which a map is stretched: drawn to
# scale it would be a line.
REPORT_STRETCH = 0.05
# Outcomes of rows that a card shows, and the characters of a token that it shows.
REPORT_OUTCOMES, REPORT_TEXT = 200, 5_000
# Points up to which all are drawn while the map of a report moves, and of how many one
# is drawn then where there are more: 30 frames a second in software.
# Found with benchmarks/token_report.py.
REPORT_MOVES, REPORT_THINNED = 3_000, 50
# Classes or outcomes that a report shows, the first ones.
REPORT_OUTPUTS = 12
