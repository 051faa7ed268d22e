"""The pages of `make docs`, made for real: every public name and every option is there, and every link leads somewhere."""

import importlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from click.testing import CliRunner

from sandbox.cli import cli
from studies import docs

PACKAGES = [name for name in docs.PACKAGES if hasattr(importlib.import_module(name), "__all__")]
README = (docs.ROOT / "README.md").read_text()


class Page(HTMLParser):
    """What a page has to be led to, and where it leads."""

    def __init__(self, file):
        super().__init__()
        self.ids, self.links, self.sources = set(), [], []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs):
        there = dict(attrs)
        self.ids.add(there.get("id"))
        self.links += [there["href"]] if tag == "a" and there.get("href") else []
        self.sources += [there["src"]] if "src" in there else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The pages; pytest makes an error of any warning."""
    folder = tmp_path_factory.mktemp("docs")
    told = CliRunner().invoke(docs.command, ["--out", str(folder)], catch_exceptions=False)
    assert told.exit_code == 0
    assert told.output.endswith(f"open {folder / 'index.html'}\n")
    assert told.stderr == ""
    return folder


@pytest.fixture(scope="module")
def pages(folder):
    return {file: Page(file) for file in folder.rglob("*.html")}


def page_of(name):
    return f"{name.replace('.', '/')}.html"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_on_the_page_of_its_package(package, folder, pages):
    assert set(importlib.import_module(package).__all__) - pages[folder / page_of(package)].ids == set()


def test_the_packages_are_all_that_there_are(folder):
    packages = {".".join(path.parent.relative_to(docs.ROOT).parts) for path in docs.ROOT.glob("sandbox/**/__init__.py")}
    assert {name for name in packages if (folder / page_of(name)).exists()} == packages


def test_modules_that_a_reader_is_sent_to_have_pages(folder):
    """By the README's links and Python, and by what a package says of itself; and those of one that lists no names."""
    for name in (
        "nn/textbook",
        "nn/run",
        "sweeps/command",
        "comparison/driver",
        "answers/statistics",
        "answers/spread",
    ):
        assert (folder / "sandbox" / f"{name}.html").exists()


def commands(group=cli, parent=None):
    """Every command with its page and its heading."""
    context = click.Context(group, parent, group.name if parent else "sandbox")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (
            command,
            "commands.html" if parent is None else f"commands/{group.name}.html",
            f"{context.command_path} {name}",
        )
        if isinstance(command, click.Group):
            yield from commands(command, context)


@pytest.mark.parametrize(("command", "page", "heading"), [pytest.param(*one, id=one[2]) for one in commands()])
def test_every_command_is_there_with_its_options(command, page, heading, folder):
    (section,) = re.findall(
        rf'<h2 id="[^"]*">{heading}</h2>(.*?)(?=<h2|</section>)', (folder / page).read_text(), re.DOTALL
    )
    shown = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", "".join(re.findall("<dt>.*?</dt>", section))))
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    assert shown - {"-h"} == {name for one in options for name in one.opts} | {
        "--help"
    }  # click keeps the first that it made
    words = " ".join(unescape(re.sub("<[^>]*>", "", section)).split())
    for one in options:
        assert " ".join((one.help or "").split()) in words
    assert heading in words  # how it is used


def test_recipes_are_the_readme_s_own(folder):
    """Every line of code of these sections is there, and a heading for each."""
    said = (folder / "recipes.html").read_text()
    text = " ".join(unescape(re.sub("<[^>]*>", "", said)).split())
    sections = {one.partition("\n")[0]: one for one in README.split("\n## ")}
    for heading in docs.RECIPES:
        assert f">{heading}</h2>" in said
        lines = re.findall(r"^    .*", sections[heading], re.MULTILINE)
        assert lines
        assert [line for line in lines if " ".join(line.split()) not in text] == []
    assert "outcome.frame()" in text


def test_every_link_leads_somewhere(folder, pages):
    """To a page and a place on it; what leads elsewhere is for people to follow, and no page loads anything from there."""
    inside = 0
    for file, page in pages.items():
        above = "../" * (len(file.relative_to(folder).parts) - 1)
        assert {one for one in page.sources if not one.startswith("data:image/")} <= {f"{above}search.js"}
        for link in page.links:
            if not re.match(r"https?://", link):
                place, _, mark = unquote(link).partition("#")
                target = (file.parent / place).resolve() if place else file
                assert target.exists(), f"{file.relative_to(folder)}: {link}"
                assert not mark or mark in pages[target].ids, f"{file.relative_to(folder)}: {link}"
                inside += 1
    assert inside > 1000


def test_pictures_are_in_the_pages(folder, pages):
    for name, file in (("index", docs.ROOT / "README.md"), ("studies.FINDINGS", docs.ROOT / "studies" / "FINDINGS.md")):
        held = [one for one in pages[folder / page_of(name)].sources if one.startswith("data:image/png")]
        assert len(held) == len(re.findall(r"!\[", file.read_text()))


def test_a_mark_of_multiplication_is_no_emphasis(folder):
    for file in (folder / "sandbox").rglob("*.html"):
        said = re.sub(r"<pre.*?</pre>", "", file.read_text(), flags=re.DOTALL)
        assert re.findall(r"<(?:em|strong|del)>.*", said) == [], file.name


@pytest.mark.slow
def test_what_a_person_sees(folder, browser, tmp_path):
    page = browser.new_page(viewport={"width": 400, "height": 900})
    for file in sorted(Path(folder).rglob("*.html")):
        page.goto(f"file://{file}")
        assert page.evaluate("document.documentElement.scrollWidth") == 400, file.name
        assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)"), file.name
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"file://{folder}/index.html")
    page.get_by_role("searchbox").fill("early stopping")
    page.locator(".search-result", has_text="EarlyStopping").first.wait_for()
    page.screenshot(path=tmp_path / "search.png")
    page.get_by_role("searchbox").fill("")
    page.get_by_role("link", name="sandbox/nn/textbook.py").click()
    page.get_by_text("def backward(Ws, activations, Zs, As, dA)").first.wait_for()  # the file itself, open
    page.close()
