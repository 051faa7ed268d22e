"""Values for options: those that a small command is made of, and those that an option may not be ready for.

What would be right and merely large is not among them: it would take its time.
"""

CASE = "{case}"  # in a text: the directory that the command must not leave
LONG, LONGER = "x" * 300, "x" * 5000
TEXTS = [
    *("it's", 'say "no"', "both ' and \"", "back\\slash", "two\nlines", "a\rb", "a/b", ".", "..", "../x", "../../x"),
    *("../../../x", f"{CASE}/x", "~", "名前", "😀😀", "\u202egnp.x", "e\u0301", "\ufeffx", "\u2028", LONG, LONGER),
    *("ü" * 300, "", " ", "\t", "100%", "%s%n", "%(x)s {0} {x}", "what?", "#1", "'; drop table runs; --", "-x", "--"),
    *("\udcff\udc80", "a=b;c:d|e,f", "none", "null", "\x1b[31mred", "\x7f", "\x01", "`id`$(id)", "<b>&amp;", "*"),
]
NUMBERS = [
    *("-1", "0", "-0", "-0.0", "1.5", "1e308", "-1e308", "1e309", "1e-320", "nan", "-nan", "inf", "-inf", "1e3"),
    *(str(10**30), str(2**63), str(2**63 - 1), str(-(2**63)), str(2**64), "0x10", "1_0", "1__0", "", " "),
    *("+5", " 5 ", "5 5", "٣", "\uff11\uff12", "½", "²", "9" * 5000, "1e", "1,2", "true", "0.1.2", "5\n"),
]
PATHS = [
    *("", ".", "folder", "missing/x.npz", "full", "full/x", "/proc/nowhere/x", LONG, "ü😀.npz", "two\nlines", "-"),
    *("--x", "folder/../x.npz", "\udcff", "plain.txt", "both ' and \"", " ", "~", "x.npz", "folder/" + "y" * 250),
]
URIS = [
    *("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///full/x.db", "sqlite:///full", "sqlite:///plain.txt"),
    *("sqlite:///plain.txt/x.db", "sqlite:///folder", "sqlite:///folder/own.db", "sqlite:///new/deep/own.db"),
    *("sqlite:////proc/nowhere/x.db", f"sqlite:///{LONG}", "sqlite+pysqlite:///own.db", "sqlite:///own.db?mode=ro"),
    *("sqlite:///own%20.db", "sqlite:///ü 😀.db", "sqlite:///a'b.db", "SQLITE:///own.db", "sqlite:/own.db"),
    *("sqlite:own.db", "http://127.0.0.1:1", "http://", "http://127.0.0.1:99999", "http://[::1"),
    *("https://127.0.0.1:1", "http://user:secret@127.0.0.1:1", "HTTP://127.0.0.1:1", "http:///x"),
    *("http://127.0.0.1:1/\nx", "postgresql://x", "postgresql://u:secret@127.0.0.1:1/x", "mysql://x", "junk://"),
    *("junk", "junk:", "file:mlruns", "./mlruns", "file:///proc/nowhere", "databricks", "uc:x", "", " ", LONGER),
    *("\udcff", "s3://bucket", "://", ":memory:"),
]
VARIED = [
    *("learning_rate=1..0", "learning_rate=nan..inf", "learning_rate=0..1:log", "learning_rate=1e-320..1e308:log"),
    *("=", "learning_rate=-1..1", "epochs=1..10:int:log", "hidden=none", "hidden=1|2|x", "seed=1,2"),
    *("dataset=xor,xor", "x=", "=1,2", "learning_rate", "learning_rate=1,1", "learning_rate=-0.0,0.0"),
    *("crosses=x1*x2|none", "l2=0..1e308", "activation=softmax,relu", "batch_size=none,1", "n_examples=2,3"),
    *("epochs=1..1e308", "hidden=" + "1|" * 200 + "2", "dtype=float32,float64", "learning-rate=0.1..0.2:junk"),
    *("momentum=0..1", "output=none,linear", "patience=1,none", "learning_rate=1_0,2", "learning_rate=٣,4"),
    *("noise=0,1e308", "min_delta=0,inf", "learning_rate=0.1..", "..=..", f"epochs=1..{10**30}:log"),
    *(f"seed=1..{2**64}", "dataset=iris,linear", "learning_rate=1e308,1e-320", "l1=0,5e-324", f"hidden=1|{10**12}"),
    *("learning_rate=" + ",".join(map(str, range(1, 99999))), "initializer=he,\n", "data_seed=0..9"),
]
CROSSES = [
    *("x1*", "x9", "sin(x1", "x1^0", f"x1^{10**12}", "x1^-1", "(" * 500 + "x1" + ")" * 500, "x1" + "*x1" * 500, ","),
    *("x1*x2,x1*x2", "sin(sin(x1))", "x\uff11", "X1", "x1^1e3", "exp(x1)", "__import__('os')", "x1**x2"),
    "x1*x2, x1^3",
]
ARMS = [
    *("", ":", "a:", "a: hidden", "a: hidden=", "a: hidden=1; hidden=2", "raw:", "a: seed=1", "a: dataset=xor"),
    *("ü😀: hidden=2", "a/b: hidden=2", "../x: hidden=2", f"{LONG}: hidden=2", "%s: hidden=2", "`x`: hidden=2"),
    *("a, seed 3: hidden=2", "two\nlines: hidden=2", "--: hidden=2", "a: learning_rate=nan", f"a: hidden={10**12}"),
    *("a: crosses=x1*", "a: l2=-1", "a|b: hidden=1", "a: epochs=7", "<b>: hidden=2", "\udcff: hidden=2"),
]
OBJECTIVES = ["min:", "max:", "mean:x", ":", "max:final_cost", "min:no such", "final_cost ", "max:max:x", "½"]
PLANES = ["x1", "x1,x1", "x1,x9", ",", "x2,x1", " x1 , x2 ", "x1,x2,x3", "x1,x\uff12", "x1;x2"]
WEIGHTS = [
    *("1", "1,2", "1,2;3", ";", "|", ",", "nan,1", "inf,0", "1e308,1e308", "1e-320,0", "x", "1,2|3,4;5,6", "0x1,2"),
    *("1_0,2", "٣,4", "1" * 5000, "1,2" * 2000, "-1e308,1e308"),
]
HOOKS = ["Nothing", "nowhere:Name", "sandbox:Config", "os:sep", ":", "a:", ":a", "..:x", "os.path:sep", "a b:c", "Hook"]
HOSTS = ["nowhere.invalid", "127.0.0.1", "", " ", "::1", "[::1]", "256.0.0.1", "a b", "::1/x", "\udcff", LONG, "-x"]
HOSTILE: dict[str, list[str]] = {  # of these options nothing else is drawn: what else there is may do what was asked
    "--checkpoint": PATHS,
    "--png": PATHS,
    "--out": PATHS,
    "--tracking-uri": URIS,
    "--artifacts": [*PATHS, "s3://bucket/x", "file:///proc/nowhere", "what?", "junk://x", "http://[::1", "100%/x#1"],
    "--hook": HOOKS,
    "--picture": HOOKS[3:-1],
    "--host": HOSTS,
    "--writers": ["0", "-1", "65", "", "x", "1.0", str(2**63), "٣"],
}
LIKELY: dict[str, list[str]] = {
    "--vary": VARIED,
    "--crosses": CROSSES,
    "--arm": ARMS,
    "--objective": OBJECTIVES,
    "--plane": PLANES,
    "--weights": WEIGHTS,
    "--bias": WEIGHTS,
    "--hidden": ["", ",", "8,,8", "0", "-1", f"{10**12}", f"1,{10**9},{10**9}", ",".join("1" * 300), "1_0", "٣", "nan"],
    "--name": TEXTS,
}
GOOD: dict[str, list[str]] = {
    "--dataset": ["xor", "or", "circle", "quadrants", "linear", "moons", "iris", "reg-plane"],
    "--n-examples": ["20", "33"],
    "--n-validation": ["1", "12", "none"],
    "--noise": ["0", "0.1"],
    "--data-seed": ["0", "7"],
    "--crosses": ["x1*x2", "x1^2,sin(x1)", "none"],
    "--hidden": ["none", "2", "3,2"],
    "--activation": ["tanh", "relu", "sigmoid"],
    "--initializer": ["he", "plain"],
    "--l2": ["0.01"],
    "--optimizer": ["adam", "momentum", "adamw"],
    "--weight-decay": ["0", "0.01"],
    "--learning-rate": ["0.1", "1", "1e6"],
    "--batch-size": ["2", "none"],
    "--epochs": ["2", "5", "30"],
    "--patience": ["3", "none"],
    "--dtype": ["float32"],
    "--seed": ["0", "7"],
    "--name": ["rates", "a b", "größe"],
    "--vary": ["learning_rate=0.5,1", "hidden=none|2", "initializer=he,plain", "learning_rate=0.1..10:log"],
    "--trials": ["3", "4"],
    "--seeds": ["1", "2"],
    "--sampler": ["random", "sobol", "tpe"],
    "--pruner": ["none", "median", "halving"],
    "--batch": ["1", "5"],
    "--objective": ["final_cost", "max:train_accuracy"],
    "--tracking-uri": ["sqlite:///own.db", "sqlite:///folder/own.db"],
    "--artifacts": ["kept", "folder"],
    "--checkpoint": ["net.npz", "folder/net.npz"],
    "--plane": ["x1,x2"],
    "--hook": ["GradientNorms"],
    "--example": ["0", "1"],
    "--updates": ["0", "2"],
    "--png": ["graph.png"],
    "--out": ["report", "folder"],
    "--first-seed": ["0", "7"],
}
