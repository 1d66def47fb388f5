"""Building and loading the descriptor kernel."""

from pathlib import Path

import pytest

from diverse.kernel import build, library


def test_builds_once_and_drops_what_is_outdated(tmp_path: Path) -> None:
    target = next(target for target in build.targets() if target.name == "pairs")
    outdated = tmp_path / "pairs-0123456789abcdef.so"
    outdated.touch()
    compiler = build.find_compiler()
    path = build.build_target(target, folder=tmp_path, compiler=compiler)
    assert list(tmp_path.iterdir()) == [path]
    assert path == build.library_path(target, folder=tmp_path)
    before = path.stat()
    assert build.build_target(target, folder=tmp_path, compiler="no such compiler") == path
    assert path.stat() == before


def test_hash_follows_sources_and_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = build.Target("pairs", "pairs.cpp", ())
    other_flags = build.Target("pairs", "pairs.cpp", ("-O0",))
    (tmp_path / "pairs.cpp").write_text("int one;")
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    first = build.library_path(target, folder=tmp_path)
    assert first != build.library_path(other_flags, folder=tmp_path)
    (tmp_path / "lattice.hpp").write_text("// new")
    assert first != build.library_path(target, folder=tmp_path)


def test_no_compiler_gives_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no C.. compiler 'no-such-compiler' on PATH. Install"):
        build.build(tmp_path / "new")


def test_failing_compiler_is_quoted(tmp_path: Path) -> None:
    target = build.Target("pairs", "pairs.cpp", ("-no-such-flag",))
    with pytest.raises(RuntimeError, match=r"failed on pairs.cpp for pairs:(.|\n)*-no-such-flag"):
        build.build_target(target, folder=tmp_path, compiler=build.find_compiler())
    assert list(tmp_path.iterdir()) == []


def test_missing_library_gives_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIVERSE_KERNEL_FOLDER", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"has not been built .* Run `python .*build.py`"):
        library.load.__wrapped__("pairs")
