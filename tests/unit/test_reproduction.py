"""A study's tables against released ones: no difference is missed, whatever the order."""

import numpy as np
import pandas as pd
import pytest

from diverse.report.reproduction import compare_release, compare_tables, comparison_text

TABLE = pd.DataFrame(
    {
        "model": ["a", "a", "b", "b"],
        "seed": [0, 1, 0, 1],
        "rmse": [1.0, 2.0, 3.0, np.nan],
        "mae": [0.5, 0.25, 0.125, 0.0],
    }
)


def test_the_order_of_rows_and_columns_is_no_difference():
    shuffled = TABLE.iloc[[2, 0, 3, 1]][["mae", "seed", "rmse", "model"]]
    found = compare_tables(TABLE, shuffled)
    assert found == (0, 0, 8, 0, 0.0, "")


@pytest.mark.parametrize(
    ("row", "column", "new", "largest"),
    [
        (1, "rmse", 2.5, 0.2),
        (3, "rmse", 1.0, np.inf),
        (3, "mae", 1e-30, 1.0),
        (2, "mae", np.nextafter(0.125, 1), 2**-52),
    ],
)
def test_every_changed_number_is_found(row, column, new, largest):
    changed = TABLE.copy()
    changed.loc[row, column] = new
    found = compare_tables(changed, TABLE)
    assert found.different == 1
    assert found.largest == pytest.approx(largest)
    assert found.where == f"{column} of {TABLE.loc[row, 'model']} {TABLE.loc[row, 'seed']}"


def test_rows_of_one_table_alone_are_counted():
    found = compare_tables(TABLE[1:], TABLE[:3])
    assert (found.only_here, found.only_released, found.numbers) == (1, 1, 4)


def test_whole_numbers_of_one_table_are_numbers_where_the_other_has_fractions():
    whole = pd.DataFrame({"name": ["a", "b"], "value": [1, 2]})
    assert compare_tables(whole, whole.astype({"value": float})).different == 0
    assert compare_tables(whole, whole.assign(value=[1.0, 2.5])).different == 1


def test_a_release_is_compared_table_by_table(tmp_path):
    own, released = tmp_path / "own", tmp_path / "released"
    for folder in (own, released):
        (folder / "tables").mkdir(parents=True)
        (folder / "errors").mkdir()
        TABLE.to_csv(folder / "tables/same.csv", index=False)
        TABLE.to_csv(folder / "errors/cells.csv.xz", index=False)
    TABLE.assign(mae=TABLE["mae"] * 1.5).to_csv(own / "tables/large.csv", index=False)
    TABLE.to_csv(released / "tables/large.csv.xz", index=False)
    TABLE.to_csv(own / "tables/more.csv", index=False)
    TABLE[:1].drop(columns="mae").to_csv(released / "tables/more.csv", index=False)
    TABLE.to_csv(released / "tables/gone.csv", index=False)
    TABLE.to_csv(own / "tables/new.csv", index=False)
    text = comparison_text(*compare_release(own, released))
    assert text.splitlines() == [
        "2 of 3 tables are equal number for number (16 numbers)",
        "tables/large.csv.xz: 3 of 8 numbers differ, by at most 3.3e-01 of their size (mae of a 0)",
        "tables/gone.csv: released, but not made here",
        "tables/more.csv: columns in one of the two alone: mae",
        "tables/new.csv: made here, but not released",
    ]


def test_nothing_released_is_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no released tables in"):
        compare_release(tmp_path, tmp_path)
