"""Tax ids that are right and wrong, by an independent implementation: python-stdnum.

`vectors.py make` writes them to standard output, `vectors.py check FILE` checks a file of them. The numbers are made up.
A line is: the type, the number, and `right`, `check_digit` or `format`. The last two are both refused; which of them it
is depends on the order in which an implementation looks.
"""

import importlib
import random
import sys

# The type, the module of python-stdnum, and the form of made-up numbers: 9 a digit, A a letter, all else itself.
TYPES = [
    ("ar_cuit", "ar.cuit", ["20999999999", "30999999999"]),
    ("au_abn", "au.abn", ["99999999999"]),
    ("br_cnpj", "br.cnpj", ["99999999000199"]),
    ("br_cpf", "br.cpf", ["99999999999"]),
    ("by_tin", "by.unp", ["199999999", "499999999"]),
    ("ca_bn", "ca.bn", ["999999999"]),
    ("ca_gst_hst", "ca.bn", ["999999999RT0001"]),
    ("ch_uid", "ch.uid", ["CHE999999999"]),
    ("ch_vat", "ch.vat", ["CHE999999999MWST", "CHE999999999TVA"]),
    ("cl_tin", "cl.rut", ["999999999", "99999999K"]),
    ("co_nit", "co.nit", ["9999999999"]),
    ("ec_ruc", "ec.ruc", ["1799999999001", "0999999999001"]),
    ("eg_tin", "eg.tn", ["999999999"]),
    ("es_cif", "es.cif", ["A99999999", "B99999999"]),
    ("gb_vat", "gb.vat", ["999999999", "GB999999999"]),
    ("hr_oib", "hr.oib", ["99999999999"]),
    ("il_vat", "il.idnr", ["999999999"]),
    ("in_gst", "in_.gstin", ["27AAACA9999A1ZA", "29AAAPA9999A1Z9"]),
    ("is_vat", "is_.vsk", ["99999", "999999"]),
    ("jp_cn", "jp.cn", ["9999999999999"]),
    ("ke_pin", "ke.pin", ["P999999999A", "A999999999A"]),
    ("me_pib", "me.pib", ["09999999"]),
    ("mk_vat", "mk.edb", ["4999999999999"]),
    ("no_vat", "no.mva", ["999999999MVA"]),
    ("nz_gst", "nz.ird", ["99999999", "199999999"]),
    ("pe_ruc", "pe.ruc", ["20999999999", "10999999999"]),
    ("rs_pib", "rs.pib", ["999999999"]),
    ("ru_inn", "ru.inn", ["9999999999"]),
    ("sg_uen", "sg.uen", ["99999999A", "201599999A"]),
    ("si_tin", "si.ddv", ["99999999"]),
    ("th_vat", "th.moa", ["0105999999999"]),
    ("tr_tin", "tr.vkn", ["9999999999"]),
    ("tw_vat", "tw.ubn", ["99999999"]),
    ("us_ein", "us.ein", ["999999999"]),
    ("uy_ruc", "uy.rut", ["219999990019"]),
    ("ve_rif", "ve.rif", ["J999999999", "V999999999"]),
    ("vn_tin", "vn.mst", ["0199999999"]),
] + [
    ("eu_vat", "eu.vat", forms)
    for forms in (
        ["ATU99999999"], ["BE0999999999"], ["BG999999999"], ["CY09999999A"], ["CZ99999999"], ["DE999999999"],
        ["DK99999999"], ["EE109999999"], ["EL999999999"], ["ESB99999999"], ["FI99999999"], ["FR99999999999"],
        ["HR99999999999"], ["HU99999999"], ["IE9999999A"], ["IT99999999999"], ["LT999999919"], ["LU99999999"],
        ["LV40999999999"], ["MT99999999"], ["NL999999999B01"], ["PL9999999999"], ["PT599999999"], ["RO99999999"],
        ["SE999999999901"], ["SI99999999"], ["SK2999999999"], ["XI999999999"],
    )
]

RIGHT, WRONG = 5, 5


def made_up(form, draw):
    return "".join(
        draw.choice("0123456789") if one == "9" else draw.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") if one == "A" and place > 1 else one
        for place, one in enumerate(form)
    )


def judge(module, number):
    """The verdict of python-stdnum on a number."""
    exceptions = importlib.import_module("stdnum.exceptions")
    validator = importlib.import_module("stdnum." + module)
    try:
        validator.validate(number)
    except exceptions.InvalidChecksum:
        return "check_digit"
    except exceptions.ValidationError:
        return "format"
    return "right"


def make():
    for name, module, forms in TYPES:
        draw = random.Random(name + forms[0])
        found = {"right": [], "wrong": []}
        for attempt in range(2_000_000):
            number = made_up(forms[attempt % len(forms)], draw)
            said = judge(module, number)
            if said == "right" and len(found["right"]) < RIGHT:
                found["right"].append((number, said))
            elif said == "check_digit" and len(found["wrong"]) < WRONG - 1:
                found["wrong"].append((number, said))
            if len(found["right"]) == RIGHT and len(found["wrong"]) == WRONG - 1:
                break
            if len(found["right"]) == RIGHT and attempt > 20_000:
                break
        right = found["right"]
        # Too short, and as many more as there are no check digits to get wrong.
        shorter = [number[:-cut] + more for cut, more in ((1, ""), (2, ""), (1, "--"[:0]), (3, ""), (1, "?")) for number, _ in right]
        for number in shorter:
            said = judge(module, number)
            if len(found["wrong"]) < WRONG and said != "right" and (number, said) not in found["wrong"]:
                found["wrong"].append((number, said))
        for number, said in right + found["wrong"]:
            print(f"{name}\t{number}\t{said}")
        if len(right) < RIGHT or len(found["wrong"]) < WRONG:
            print(f"{name}: {len(right)} right, {len(found['wrong'])} wrong", file=sys.stderr)


def check(path):
    modules = {}
    for name, module, forms in TYPES:
        modules[name] = module
    faults = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, number, wanted = line.rstrip("\n").split("\t")
            if judge(modules[name], number) != wanted:
                faults += 1
                print(f"{name} {number}: {judge(modules[name], number)}, not {wanted}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    make() if sys.argv[1:] == ["make"] else check(sys.argv[2])
