"""The documentation as pages: README and findings, the commands as click tells them, recipes, and every public name.

    make docs                      .venv/bin/python -m studies.docs --help

Nothing is written for these pages: they are made of the Markdown, the options and the docstrings that are there, by pdoc.
"""

import inspect
import re
import shutil
from collections.abc import Iterator
from html import escape
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import click
from jinja2 import ChoiceLoader, DictLoader
from pdoc.doc import Module
from pdoc.extract import walk_specs
from pdoc.render import configure, env, html_module, search_index
from pdoc.render_helpers import relative_link

from sandbox.cli import cli
from sandbox.options import main
from sandbox.typed import near

ROOT = Path(__file__).parent.parent
PROSE = [ROOT / "README.md", *sorted((ROOT / "studies").glob("*.md"))]
RECIPES = ("In Python", "Your own data", "Your own question", "When it outgrows one machine")  # sections of the README
PACKAGES = (
    "sandbox",
    "sandbox.nn",
    "sandbox.nn.hooks",
    "sandbox.data",
    "sandbox.plots",
    "sandbox.sweeps",
    "sandbox.answers",
    "sandbox.comparison",
    "sandbox.tracking",
    "sandbox.graph",
    "sandbox.kept",
    "sandbox.doctor",
)
BASES = ("sandbox.estimators", "sandbox.nn.replicas")  # modules of what public classes inherit from
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")  # to a file, as Markdown has it
TEMPLATES = {
    "module.html.jinja2": """
{% extends "default/module.html.jinja2" %}
{% macro is_public(doc) %}{# without what scikit-learn adds to an estimator #}
{% if not doc.name.endswith("_request") %}{{ default_is_public(doc) }}{% endif %}
{% endmacro %}
{% macro docstring(doc) %}{# without what a NamedTuple says of its fields #}
{% if not doc.docstring.startswith(("Alias for field number", "Create new instance of")) %}
{{ default_docstring(doc) }}
{% endif %}
{% endmacro %}
{% block title %}{{ prose.get(module.modulename, module.modulename) }} · sandbox{% endblock %}
{% block module_list_link %}
<ul>{% for name, page in all_modules.items() if name in prose or page.is_package %}
    <li{% if page is sameas module %} class="here"{% endif %}>{{ (name, "") | link(text=prose.get(name, name)) }}</li>
{% endfor %}</ul>
{% endblock %}
{% block nav_submodules %}
{% for name, page in all_modules.items()
   if name not in prose and not page.is_package and name.rpartition(".")[0] == module.modulename %}
    {% if loop.first %}<h2>Modules</h2><ul>{% endif %}
    <li>{{ (name, "") | link(text=page.name) }}</li>
    {% if loop.last %}</ul>{% endif %}
{% endfor %}
{% endblock %}
{% block module_info %}
{% if module.modulename in prose %}<section class="module-info">{{ docstring(module) }}</section>
{% else %}{{ super() }}{% endif %}
{% endblock %}
""",
    "custom.css": """
main.pdoc { --lines: 54rem; }
main.pdoc .docstring { overflow-wrap: break-word; }
main.pdoc .param, main.pdoc .return-annotation { white-space: pre-wrap; overflow-wrap: anywhere; }
main.pdoc img { max-width: min(100%, var(--lines)); }
main.pdoc p { max-width: var(--lines); }
main.pdoc .docstring .pdoc-code { margin-left: 0; margin-right: 0; }
main.pdoc dt { overflow-wrap: anywhere; font-weight: normal; }
main.pdoc dd { max-width: var(--lines); margin: 0 0 .6rem 2rem; }
main.pdoc .view-source-toggle-state:target ~ .pdoc-code { display: block; }
nav.pdoc .here { font-weight: bold; }
nav.pdoc h2 { font-size: 1.4rem; }
@media (max-width: 769px) { main.pdoc { padding-top: 4.5rem; } }
@media (min-width: 770px) {
    :root { --sidebar-width: 17rem; }
    main.pdoc { width: 88rem; padding-left: calc(var(--sidebar-width) + 2rem); }
}
""",
}


def build(folder: Path) -> dict[str, Module]:
    """Write the pages into a folder; gives them by their names."""
    configure(docformat="markdown")
    env.loader = ChoiceLoader([DictLoader(TEMPLATES), *([env.loader] if env.loader else [])])
    api = public_modules()
    prose = {"index": "README", "commands": "Commands", "commands.experiment": "Experiments", "recipes": "Recipes"}
    prose |= {_name(file): file.stem.capitalize() for file in PROSE[1:]}
    env.globals["prose"] = prose
    known = {*prose, *api}
    pages = [
        _page("index", _linked(PROSE[0].read_text(), PROSE[0], known, folder), PROSE[0]),
        *command_pages(),
        _page("recipes", _linked(recipes(), PROSE[0], known, folder), PROSE[0]),
        *(_page(_name(file), _linked(file.read_text(), file, known, folder), file) for file in PROSE[1:]),
        *map(_public, api),
    ]
    modules = {page.modulename: page for page in pages}
    for name, page in modules.items():
        file = folder / f"{name.replace('.', '/')}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(html_module(page, modules))
    (folder / "search.js").write_text(search_index(modules))
    return modules


def public_modules() -> list[str]:
    """The packages, the modules that they or the README name, and all of a package that has no list of what it offers."""
    packages = list(map(import_module, PACKAGES))
    said = "\n".join([PROSE[0].read_text(), *(package.__doc__ or "" for package in packages)])
    named = {
        one.replace("/", ".") for one in re.findall(r"\bsandbox(?:\.[a-z_]+)+|(?<=\]\()sandbox[a-z_/]+(?=\.py)", said)
    }
    modules = {one for one in named if (ROOT / f"{one.replace('.', '/')}.py").is_file()}
    unlisted = [one.__name__ for one in packages if not hasattr(one, "__all__")]
    return list(dict.fromkeys([*PACKAGES, *sorted(modules.union(BASES)), *walk_specs(unlisted)]))


def recipes() -> str:
    """The README's sections that say how something is done, under its own headings."""
    sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", PROSE[0].read_text(), re.MULTILINE))
    return "\n".join(["# Recipes", *(f"\n## {heading}\n{sections[heading]}" for heading in RECIPES)])


def command_pages(
    group: click.Group = cli, name: str = "commands", parent: click.Context | None = None
) -> Iterator[Module]:
    """A page of a group of commands, with a section for each, and then those of the groups in it."""
    context = click.Context(group, parent, group.name if parent else "sandbox", **group.context_settings)
    commands = {one: group.get_command(context, one) for one in group.list_commands(context)}
    shorts = {one: command.get_short_help_str(200) for one, command in commands.items() if command}
    names = [f"- [{one}](#{context.command_path.replace(' ', '-')}-{one}): {short}" for one, short in shorts.items()]
    sections = [f"# {context.command_path}", *_section(context), "\n".join(names)]
    for one, command in commands.items():
        assert command
        sections += [f"## {context.command_path} {one}", *_section(click.Context(command, context, one))]
        if isinstance(command, click.Group):
            sections.append(f"[What there is]({name.rpartition('.')[2]}/{one}.html)")
    yield _page(name, "\n\n".join(sections))
    for one, command in commands.items():
        if isinstance(command, click.Group):
            yield from command_pages(command, f"{name}.{one}", context)


def _section(context: click.Context) -> Iterator[str]:
    """What `--help` says of a command, as Markdown."""
    command = context.command
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    for part in inspect.cleandoc(command.help or "").split("\n\n"):
        yield f"```text\n{dedent(part[2:])}\n```" if part.startswith("\b") else part.replace("*", r"\*")
    rows = filter(
        None, (one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option))
    )
    yield f"<dl>{''.join(f'<dt><code>{escape(one)}</code></dt><dd>{escape(what)}</dd>' for one, what in rows)}</dl>"


def _name(file: Path) -> str:
    """The page of a file of this project."""
    return "index" if file == PROSE[0] else ".".join(file.relative_to(ROOT).with_suffix("").parts)


def _page(name: str, text: str, file: Path | None = None) -> Module:
    """A page of Markdown, with the pictures that lie beside a file."""
    module = ModuleType(name, text)
    vars(module).update(__all__=[], __file__=file and str(file))
    return Module(module)


def _public(name: str) -> Module:
    """The page of a package or module, with what it imports only when that is asked for."""
    module = import_module(name)
    for one in getattr(module, "__all__", []):
        setattr(module, one, getattr(module, one))
    return Module(module)


def _linked(text: str, file: Path, known: set[str], folder: Path) -> str:
    """Links of a file's Markdown lead to its targets' pages, those to code to its source; what has no page is copied.

    Pictures become a part of the page, which pdoc does.
    """

    def replace(found: re.Match) -> str:
        target = (file.parent / found[0]).resolve()
        if target.suffix == ".png":
            return found[0]
        if _name(target) in known:
            source = f"#mod-{target.stem}-view-source" if target.suffix == ".py" else ""
            return relative_link(_name(file), _name(target)) + source
        place = folder / target.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.copytree(target, place, dirs_exist_ok=True)
        else:
            shutil.copy(target, place)
        return found[0]

    return LINK.sub(replace, text)


@click.command(help=__doc__)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/docs"),
    help="A folder.",
    show_default=True,
)
def command(out: Path) -> None:
    pages = build(out)
    click.echo(f"{len(pages)} pages: open {near(out / 'index.html')}")


if __name__ == "__main__":
    main(command)
