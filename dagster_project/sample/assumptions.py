"""Assumptions of the sample: shares, rates and weights without a source, kept apart from facts."""

from __future__ import annotations

from datetime import date

# National volume per year at scale 1
OFFENCES = 1_500_000

# Share of the offences decided in a year that were reported 0, 1, 2 … years before
LAG_YEAR_SHARES = (0.852, 0.108, 0.018, 0.008, 0.005, 0.003, 0.002, 0.0015, 0.001, 0.0005, 0.0004, 0.0003, 0.0003)

# Approximate share of the country's inhabitants by county, in thousandths
COUNTY_WEIGHT = {
    "01": 233, "03": 38, "04": 29, "05": 45, "06": 35, "07": 19, "08": 23, "09": 6, "10": 15, "12": 134, "13": 32,
    "14": 167, "17": 27, "18": 29, "19": 27, "20": 27, "21": 27, "22": 23, "23": 13, "24": 26, "25": 24,
}  # fmt: skip
OTHER_COUNTY_WEIGHT = 10
# Municipality codes ending in 80 are county capitals, higher ones other towns
CAPITAL_WEIGHT, TOWN_WEIGHT, RURAL_WEIGHT = 18.0, 2.5, 1.0
UNKNOWN_REGION_SHARE = 0.003

# Distribution of an indicator's offences over victim groups without an official figure
GROUP_SHARE = {
    "misshandel_nara_relation": {"kvinna": 0.8, "man": 0.2},
    "grov_kvinnofridskrankning": {"kvinna": 1.0},
    "grov_fridskrankning": {"flicka": 0.37, "kvinna": 0.12, "man": 0.09, "pojke": 0.4, "okand": 0.3},
    "kontakt_barn_sexuellt_syfte": {"flicka": 0.8, "pojke": 0.17, "okand": 0.03},
    "aktenskapstvang": {"flicka": 0.5, "kvinna": 0.35, "man": 0.04, "pojke": 0.06, "okand": 0.05},
    "konsstympning": {"flicka": 0.82, "kvinna": 0.1, "okand": 0.08},
    "koppleri": {"flicka": 0.12, "kvinna": 0.55, "man": 0.03, "pojke": 0.02, "okand": 0.28},
    "manniskohandel_sexuella_andamal": {"flicka": 0.25, "kvinna": 0.55, "man": 0.05, "pojke": 0.05, "okand": 0.1},
    "valdtakt": {"flicka": 0.33, "kvinna": 0.58, "man": 0.04, "pojke": 0.05, "okand": 0.004},
    "kop_av_sexuell_tjanst": {"flicka": 0.01, "kvinna": 0.3, "man": 0.02, "okand": 0.67},
    "utnyttjande_barn_kop_sexuell_handling": {"flicka": 0.75, "pojke": 0.15, "okand": 0.1},
    "barnpornografibrott": {"okand": 1.0},
    "ovriga_sexualbrott_mot_barn": {"flicka": 0.8, "pojke": 0.15, "okand": 0.05},
    "barnfridsbrott": {"flicka": 0.48, "pojke": 0.5, "okand": 0.02},
}
OTHER_GROUP_SHARE, RARE_GROUP_SHARE = 0.1, 0.002
PART_SHARE = {"oaktsam": 0.022, "vilseledande_resa": 0.15, "aktenskapstvang": 0.85, "barnaktenskap": 0.3}
RELATION_SHARE = {"parrelation": 0.32, "slakt_familj": 0.12, "annan_bekant": 0.36, "obekant": 0.2}
PLACE_SHARE = {"inomhus": 0.8, "utomhus": 0.2, "internet": 0.2, "ej_internet": 0.8}
ROLE_SHARE = {("broad", "kvinna"): 0.28, ("broad", "man"): 0.6}
STAGE_WEIGHT = {"forsok": 0.15}
GROSS_WEIGHT = 0.12
# Share of a kind of offence whose code is not yet in the catalogue and that only its provision identifies
UNLISTED_CODE_SHARE = 0.004
# Codes used as unlisted ones; those in the catalogue are left out
UNLISTED_CODES = ("6190", "6191", "6192", "6193", "6194", "6195", "6196", "6197", "6198", "6199")
# The day on which a part became an offence, for codes without a start date in the catalogue
PART_SINCE = {
    "aktenskapstvang": date(2014, 7, 1),
    "vilseledande_resa": date(2014, 7, 1),
    "barnaktenskap": date(2020, 7, 1),
    "oaktsam": date(2018, 7, 1),
}

# Yearly growth outside the years with official figures; differences between regions
GROWTH = {"aktenskapstvang": 1.1, "valdtakt": 1.05, "koppleri": 1.03, "kop_av_sexuell_tjanst": 1.0}
OTHER_GROWTH = 1.015
GROWTH_YEARS = 5
REGION_SPREAD = {"volume": 0.15, "cleared": 0.18, "dismissed": 0.3}
# Offences of an indicator without official figures
UNKNOWN_INDICATOR_OFFENCES = 120

# Shares that an official row does not determine
DISMISSED_SHARE, CLEARED_SHARE, LIMITED_SHARE = 0.08, 0.12, 0.01
PENALTY_ORDER_SHARE, WAIVER_SHARE, LIMITED_DISMISSED_SHARE = 0.012, 0.004, 0.03
# Purchase of sexual services: fines were removed from the scale of penalties on 2022-08-01
FINED_INDICATOR, FINED_SHARE, FINED_UNTIL = "kop_av_sexuell_tjanst", 0.35, 2022

# Share with a suspect among offences not cleared: limited and other investigated, limited and other dismissed
SUSPECT_SHARE = {3: 0.4, 4: 0.58, 5: 0.15, 6: 0.02}
# Rows that represent several offences
SEVERAL_SHARE = {2: 0.012, 3: 0.004, 4: 0.0015, 5: 0.001}
# Offences reopened without a later decision that year, per processed offence
PENDING_SHARE = 0.004

# National assaults on women 18+ in one year by outcome (order of arithmetic.OUTCOMES); the codes of role context get
# those outside close relations
ASSAULT_INDICATOR, WOMEN, WOMEN_YEAR = "misshandel_nara_relation", "kvinna", 2018
WOMEN_ASSAULTS = (3737.0, 50.0, 15.0, 463.0, 22279.0, 60.0, 2377.0)
# The other groups of role context: offences in that year, cleared, limited and dismissed shares
CONTEXT = {"man": (27_500, 0.14, 0.02, 0.16), "flicka": (9_000, 0.08, 0.04, 0.12), "pojke": (15_000, 0.09, 0.05, 0.14)}
OTHER_CONTEXT = (1_000, 0.1, 0.02, 0.1)
# The same for measures whose offences count in no indicator, from region Stockholm's figures of 2025
MEASURES = {
    "barnpornografibrott": (9_900, 0.074, 0.01, 0.089),
    "ovriga_sexualbrott_mot_barn": (7_300, 0.31, 0.01, 0.05),
    "barnfridsbrott": (13_900, 0.174, 0.01, 0.044),
}
CONTEXT_GROWTH = 1.015
# Minimum share of each outcome, relative to their number, for assaults on women outside close relations
CONTEXT_LEAST = 0.5
CONTEXT_RARE_WEIGHT = 0.03

# Days from report to decision: mean by class of outcome (scripts.py), and the share of cases that take one to ten years
MEAN_DAYS = (170, 135, 135, 60, 60, 72, 72, 12, 12, 12, 12, 60)
LONG_SHARE, LONG_YEARS = 0.016, 9
# Codes assigned by the rules of half a year ago; codes assigned after their end
LATE_CODE_SHARE, LATE_CODE_DAYS = 0.01, 200
ENDED_CODE_SHARE, ENDED_CODE_DAYS = 0.04, 120

# Missing and unusual values of an extract
NO_MUNICIPALITY, UNKNOWN_MUNICIPALITY, OTHER_REGION, NO_REGION = 0.022, 0.002, 0.01, 0.03
UNKNOWN_MUNICIPALITIES = (9999, 2599, 199)
NO_CRIME_DATE, OLD_CRIME, OLD_CRIME_DAYS, CRIME_DAYS = 0.06, 0.06, 400, 6
NO_PROVISION, PLAIN_PROVISION = 0.12, 0.6
NO_SEX, NO_AGE = 0.02, 0.04
# Share of offences in cases with several offences (up to four)
CASES_OF_SEVERAL = 0.3
# The first year with the optional file of reports, and the number of later years in which its offences may be decided (few take longer)
REPORTS_SINCE, DECIDED_WITHIN = 2023, 2
# One in this many offences of a year was decided the year before; one in this many is decided again the next year
REOPENED_ONE_IN, REOPENED_LATER_ONE_IN = 61, 67

# All other crime: code, provision, weight, share with a known victim, and per cent cleared, limited investigated, other
# investigated and limited dismissed (the rest is dismissed). Codes in the catalogue are left out.
OTHER_CRIME = (
    ("0801", "BrB 8:1", 200, 0.2, 3, 2, 24, 3),
    ("0802", "BrB 8:2", 80, 0.2, 30, 6, 40, 4),
    ("0825", "BrB 8:1", 160, 0.3, 3, 1, 19, 2),
    ("0840", "BrB 8:4", 80, 0.3, 6, 1, 35, 1),
    ("0857", "BrB 8:4 a", 12, 0.3, 4, 1, 30, 1),
    ("0866", "BrB 8:7", 20, 0.2, 6, 2, 22, 1),
    ("0870", "BrB 8:5", 8, 0.8, 14, 1, 60, 0),
    ("0901", "BrB 9:1", 190, 0.6, 6, 2, 34, 4),
    ("0911", "BrB 9:3", 45, 0.5, 6, 3, 33, 5),
    ("0926", "BrB 9:3 c", 30, 0.4, 3, 2, 26, 3),
    ("1001", "BrB 10:1", 12, 0.3, 14, 3, 45, 2),
    ("1202", "BrB 12:1", 200, 0.3, 5, 1, 22, 2),
    ("1203", "BrB 12:1", 90, 0.1, 2, 0, 8, 1),
    ("1301", "BrB 13:1", 5, 0.2, 5, 0, 40, 0),
    ("1501", "BrB 15:1", 9, 0.2, 26, 4, 55, 1),
    ("1701", "BrB 17:1", 18, 0.8, 45, 3, 45, 0),
    ("0402", "BrB 4:5", 62, 0.9, 12, 3, 63, 1),
    ("0404", "BrB 4:7", 60, 0.9, 9, 3, 52, 2),
    ("0405", "BrB 4:6", 14, 0.8, 14, 2, 55, 1),
    ("0501", "BrB 5:1", 14, 0.7, 3, 1, 25, 1),
    ("0601", "BrB 6:10", 22, 0.9, 13, 2, 60, 1),
    ("0603", "BrB 6:2", 7, 0.9, 16, 1, 70, 0),
    ("0312", "BrB 3:7", 9, 0.5, 4, 1, 60, 0),
    ("0370", "BrB 3:8", 14, 0.6, 8, 2, 60, 0),
    ("5011", "Narkotikastrafflagen 1 §", 62, 0.0, 52, 9, 33, 0),
    ("5012", "Narkotikastrafflagen 1 §", 48, 0.0, 55, 7, 33, 0),
    ("5101", "Lag (1951:649) 4 §", 30, 0.0, 58, 3, 34, 0),
    ("5102", "Lag (1951:649) 3 §", 52, 0.0, 54, 12, 30, 0),
    ("5201", "Vapenlagen 9:1", 12, 0.0, 45, 6, 40, 0),
    ("5301", "Skattebrottslagen 2 §", 20, 0.0, 26, 3, 58, 0),
    ("5401", "Lag (1988:254) 1 §", 6, 0.0, 48, 4, 40, 0),
    ("5501", "Utlänningslagen 20:2", 4, 0.0, 22, 2, 60, 0),
    ("5601", "Miljöbalken 29:1", 6, 0.0, 9, 2, 45, 0),
    ("9001", "", 22, 0.2, 7, 2, 36, 2),
)
OTHER_CRIME_WOMEN = 0.42
# Distribution of cleared offences: indictments, penalty orders, waivers
CLEARED_SPLIT = (0.72, 0.22, 0.06)
