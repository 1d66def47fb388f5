"""The page that is read first: whole in one file, whatever a study has and lacks."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from PIL import Image

from claim_cases import all_claims, claims_of, theta_of
from diverse.report.pages.claims import NOTHING, SIGNS, claims_table, verdict_mark
from diverse.report.pages.index import Contents, Picture, caption_html, index_page
from diverse.report.pages.sortable import library, sortable_table
from paths import ROOT

STUDY = {"study": "small", "element": "Cu"}
TEMPLATE = (ROOT / "workflow/report/index.html").read_text()
VOID = {"meta", "img", "br", "link"}


class Tags(HTMLParser):
    """Tags with their attributes, in order; an end without its start is an error."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def attributes(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "ratios.png")
    return Picture(tmp_path / "ratios.png", "<p>Caption</p>")


def page_of(tables, pictures=(), certainty=()):
    return index_page(TEMPLATE, STUDY, Contents(pictures, certainty, tables))


def test_a_table_without_rows_is_not_shown():
    sizes = pd.DataFrame({"train": ["a", "b"], "effect": [1.0, 2.0]})
    shown, left_out = (
        page_of({"claims": all_claims(), "cell_sizes": t}) for t in (sizes, sizes[:0])
    )
    assert "Larger cells" in shown
    assert "Larger cells" not in left_out


def test_the_page_needs_no_other_file_and_no_network(picture):
    ratios = pd.DataFrame({"model": ["linear4"], "ratio": [2.0], "ci_low": [1.0], "ci_high": [3.0]})
    tables = {"claims": all_claims(), "theta": theta_of(), "ratios": ratios}
    page = page_of(tables, [picture], ["Drawn 10 times."])
    tags = Tags(page)
    assert tags.attributes("link") == []
    assert all("src" not in script for script in tags.attributes("script"))
    assert [img["src"][:22] for img in tags.attributes("img")] == ["data:image/png;base64,"]
    assert all(img["alt"] for img in tags.attributes("img"))
    assert page.count("import DataTable") == page.count(library()) == 1
    assert len(tags.attributes("table")) == len(tags.attributes("caption")) == 3
    assert not [a["href"] for a in tags.attributes("a") if ":" in a["href"]]
    sections = [section["id"] for section in tags.attributes("section")]
    assert sections == ["answer", "figures", "certainty", "tables", "files"]
    assert [a["href"] for a in tags.attributes("a")][:5] == [f"#{name}" for name in sections]
    assert "<li>Drawn 10 times.</li>" in page


def test_a_study_without_claims_says_so():
    page = page_of({"datasets": pd.DataFrame({"dataset": ["a"], "cells": [3]})})
    Tags(page)
    assert NOTHING in page
    assert 'id="figures"' not in page
    assert claims_table(all_claims()[:0]) == claims_table(None) == NOTHING


def test_every_claim_shows_effect_interval_verdict_and_reading():
    text = claims_table(all_claims())
    Tags(text)
    rows = re.findall(r'<tr role="row"><td.*?</tr>', text)
    assert len(rows) == len(all_claims())
    shown = '<td role="cell" data-name="Effect" data-order="0.71"><b>0.71</b> <small>[0.52, 0.97]'
    assert shown in rows[0]
    assert "Expert-trained models err 1.4 times less." in rows[0]
    assert "expert / entropy on expert" in rows[0]
    assert 'href="tables/theta.csv"' in rows[0]
    assert 'href="figures/ratios.png"' in rows[0]
    for verdict, row in zip(all_claims()["verdict"], rows, strict=True):
        assert verdict_mark(verdict) in row
    assert 'data-name="Effect" data-order=""></td>' in rows[-1]
    assert "nan" not in text
    assert "None" not in text


def test_a_verdict_is_read_without_colours():
    marks = [re.sub("<.*?>", "", verdict_mark(verdict)) for verdict in SIGNS]
    assert marks[:4] == ["✓ reproduced", "✗ not reproduced", "? undecided", "– no data"]
    assert marks[4:] == ["✓ yes", "✗ no"]


def test_the_table_for_the_report_has_no_links():
    text = claims_table(claims_of({}), links=False)
    assert "<a " not in text
    assert "Look" not in text


def test_tables_sort_by_the_numbers_behind_their_texts():
    table = pd.DataFrame(
        {
            "test": ["hot", "a & b"],
            "effect": [1234.567, float("nan")],
            "ci_low": [1.0, float("nan")],
            "ci_high": [2000.0, float("nan")],
            "p_holm": [1e-9, 0.25],
            "mine": [0.5, 2.0],
            "mine_low": [0.25, float("nan")],
            "mine_high": [1.0, float("nan")],
            "energy_low": [-3.25, -2.0],
            "dropped": ["x", float("nan")],
        }
    )
    text = sortable_table(table, "Caption")
    Tags(text)
    assert re.findall(r"<th scope=\"col\">(.*?)</th>", text) == [
        *("test", "effect", "p (Holm)", "mine", "lowest energy (eV/atom)", "left out"),
    ]
    first, second = (re.findall(r"<td(.*?)</td>", row) for row in text.split("<tr><td>")[1:])
    assert first == [
        ' data-order="1234.567"><b>1235</b> <small>[1, 2000]</small>',
        ' data-order="1e-09">&lt; 0.001',
        ' data-order="0.5"><b>0.5</b> <small>[0.25, 1]</small>',
        ' data-order="-3.25">-3.25',
        ">x",
    ]
    assert second == [
        *(' data-order="">', ' data-order="0.25">0.25', ' data-order="2.0">2'),
        *(' data-order="-2.0">-2', ">"),
    ]
    assert "a &amp; b</td>" in text


def test_deviations_are_shown_behind_the_value_they_belong_to():
    table = pd.DataFrame({"value": [1.0], "ratio": [2.0], "low": [1.5], "high": [2.5]})
    text = sortable_table(table, "Caption")
    assert '<td data-order="2.0"><b>2</b> <small>[1.5, 2.5]</small></td></tr>' in text
    assert text.count("<th scope") == 2


def test_a_table_without_rows_has_its_head():
    text = sortable_table(theta_of()[:0], "Caption")
    Tags(text)
    assert text.count("<tr>") == 1
    assert "p (Holm)" in text


def test_captions_are_those_of_the_report(tmp_path):
    path = tmp_path / "caption.rst"
    path.write_text('Of the *study* {{ snakemake.config["study"] }} & all.')
    assert caption_html(path, STUDY) == "<p>Of the <em>study</em> small &amp; all.</p>\n"
    for name in ("ratios", "mixtures"):
        shown = caption_html(ROOT / f"workflow/report/{name}.rst", STUDY)
        assert "small" in shown
        assert "system-message" not in shown
