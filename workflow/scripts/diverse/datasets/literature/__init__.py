"""Published data sets: fetched, read with their own labels, checked and reported.

`fetch` gets a source, `containers` its files, `records` chooses a reader for each: `extxyz` (with
`frames_of_text` and `keys`), `json_files` (with `fitsnap_json` and `pymatgen_json`), `ase_files`,
`vasp_xml`, `deepmd`. All make a `record` of each configuration with what `frame` and `units` say of
numbers; `importer` turns records into cells, with `vacuum` around those that do not repeat and
without forces and stress that their energies contradict (`work_of_forces`, `pressure`).
`complement` takes the structures alone.
"""
