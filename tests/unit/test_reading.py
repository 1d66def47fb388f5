"""Study files as they lie on disk: what cannot be read, or holds a key twice, is said."""

import json

import pytest
import yaml

from diverse.study.reading import ConfigError, check_file, main
from paths import ROOT

CONTENTS = {
    "empty": (b"", "is empty or no mapping: a study file has keys at its top level"),
    "comment": (b"# nothing\n", "is empty or no mapping"),
    "list": (b"- a\n- b\n", "is empty or no mapping"),
    "text": (b"tungsten", "is empty or no mapping"),
    "json list": (b"[1]", "is empty or no mapping"),
    "latin-1": (b"study: caf\xe9\n", r"is not UTF-8 \(byte 11 is 0xe9\): save it as UTF-8"),
    "open": (b"study: [a\n", r"line 2: this is not YAML \(expected"),
    "tab": (b"zbl:\n\tinner: 1\n", "line 2: this is not YAML"),
    "nul": (b"study: \0", "this is not YAML"),
    "two": (b"study: a\n---\nstudy: b\n", "line 2: this is not YAML"),
    "twice": (b"study: a\nseed: 1\nstudy: b\n", "the key 'study' stands twice, in lines 1 and 3"),
    "deep": (b"models:\n  a: {twojmax: 4, family: linear, twojmax: 6}\n", "'twojmax' stands twice"),
    "list of": (b"a:\n- {b: 1}\n- {b: 1, b: 2}\n", "the key 'b' stands twice, in lines 3 and 3"),
    "json": (b'{"study": "a", "zbl": {"inner": 1, "inner": 2}}', "the key 'inner' stands twice"),
    "nested": (b"[" * 100_000, "nested too deep"),
    "nested json": (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
    "pathvars": (b"study: a\npathvars: 3\n", "the key 'pathvars' must go"),
    "template": (b"__use_yte__: true\nstudy: a\n", "'__use_yte__' must go: .* no template"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_wrong_with_a_file_is_said(tmp_path, name, capsys):
    content, sentence = CONTENTS[name]
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=sentence) as error:
        check_file(path)
    assert "\n" not in str(error.value)
    assert main(["-n", "--configfile", str(path)]) == 1
    assert capsys.readouterr().err == f"The study file is not valid. {error.value}\n"


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="There is no file 'absent.yaml'"):
        check_file("absent.yaml")
    with pytest.raises(ConfigError, match="is not a file: name the study file itself"):
        check_file(tmp_path)
    with pytest.raises(ConfigError, match="'a{80}' cannot be read: File name too long"):
        check_file("a" * 300)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_studies_can_be_read(path, tmp_path):
    check_file(path)
    copy = tmp_path / "study.json"
    copy.write_text(json.dumps(yaml.safe_load(path.read_text())))
    check_file(copy)


def test_anchors_merges_and_loops_are_no_doubles(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("a: &a {b: 1, c: 2}\nd: {<<: *a, b: 3}\ne: &e [*e]\n")
    check_file(path)


@pytest.mark.parametrize("option", ["--configfile", "--configfiles"])
def test_only_study_files_are_checked(tmp_path, option):
    path = ROOT / "config/smoke.yaml"
    assert main(["--cores", "2", "absent", option, str(path), "-n"]) == 0
    assert main(["--config", "labels=recompute", "--cores", "all"]) == 0
    assert main([f"{option}={tmp_path / 'absent'}"]) == 1
