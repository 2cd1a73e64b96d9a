"""Prints how many tests ran and why any was skipped; fails if one was skipped or none ran."""

import glob
import sys
import xml.etree.ElementTree as ElementTree

ran = 0
skipped = []
for report in sorted(glob.glob("*/target/surefire-reports*/*.xml")):
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        if skip is None:
            ran += 1
        else:
            name = f"{case.get('classname')}.{case.get('name')}"
            reason = skip.get("message") or (skip.text or "no reason given").strip().splitlines()[0]
            skipped.append(f"{report.split('/')[0]} {report.split('/')[2]}: {name}: {reason}")

print(f"tests run: {ran}, skipped: {len(skipped)}", *skipped, sep="\n")
sys.exit(1 if skipped or not ran else 0)
