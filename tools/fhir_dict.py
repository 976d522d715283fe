#!/usr/bin/env python3
"""Makes the FHIR dictionary (standards/dict/fhir) from a folder of facts.

    tools/fhir_dict.py FACTS/fhir standards/dict/fhir

R4 (4.0.1) and R5 (5.0.0) are merged: what both say alike is written once. Names of ours come from tools/fhir_names.tsv.
standards/dict/README.md describes the format. The files made are the source from then on; this shows where they came from."""
import copy
import difflib
import json
import pathlib
import re
import sys

VERSIONS = ("R4", "R5")
LETTERS = {
    "A": "name", "B": "address", "C": "date", "D": "contact", "E": "contact", "F": "contact", "G": "ssn", "H": "record_number",
    "I": "member_id", "J": "account_number", "K": "licence", "L": "vehicle", "M": "device", "N": "url", "O": "ip_address",
    "P": "biometric", "Q": "photo", "R": "identifier", "clin": "clinical", "free": "free_text",
    "fin": None, "prov": None, "dem": None, "none": None,
}
ORDER = list(dict.fromkeys(v for v in LETTERS.values() if v))

# Departures from the facts' classification, each with its reason in standards/dict/README.md.
PATHS_OF_OURS = {
    "Invoice.identifier": "R",
    "Patient.deceased[x]": "clin C",
    "Observation.component.value[x]": "clin free",
    "Observation.component.code": "clin",
}

# Resources that are about no person: nothing in them is classed unless the facts list the element.
IMPERSONAL = set("""ActivityDefinition ActorDefinition AdministrableProductDefinition ArtifactAssessment
BiologicallyDerivedProduct CapabilityStatement CatalogEntry ChargeItemDefinition Citation ClinicalUseDefinition CodeSystem
CompartmentDefinition ConceptMap ConditionDefinition DeviceDefinition EffectEvidenceSynthesis Endpoint EventDefinition Evidence
EvidenceReport EvidenceVariable ExampleScenario FormularyItem GraphDefinition HealthcareService ImplementationGuide Ingredient
InsurancePlan Library  Location ManufacturedItemDefinition Measure  MedicationKnowledge MedicinalProduct
MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductDefinition MedicinalProductIndication
MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition NamingSystem ObservationDefinition
OperationDefinition Organization OrganizationAffiliation PackagedProductDefinition Permission PlanDefinition Practitioner
PractitionerRole Questionnaire RegulatedAuthorization Requirements ResearchDefinition ResearchElementDefinition
RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition StructureMap Subscription SubscriptionStatus
SubscriptionTopic Substance SubstanceDefinition SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification TerminologyCapabilities TestPlan TestReport TestScript
 ValueSet""".split())

# Members of data types: what they carry unless the path around says otherwise. A whole type: all its members.
MEMBERS = {
    "HumanName": "A", "Address.line": "B", "Address.text": "B", "Address.city": "B", "Address.district": "B",
    "Address.postalCode": "B", "Address.state": "none", "Address.country": "none", "Address.period": "C",
    "ContactPoint.value": "D E F N R", "Identifier.value": "G H I J K M R", "Identifier.period": "C", "Attachment.data": "free",
    "Attachment.url": "N", "Attachment.title": "free", "Annotation.text": "free", "Narrative.div": "free", "Signature.data": "P",
    "Period": "C", "Timing": "C", "Reference.display": "free", "Reference.identifier": "R", "Reference.reference": "R",
    "CodeableConcept.text": "free", "Extension.url": "none", "Extension": "free", "Money": "none", "Quantity": "none", "Meta.lastUpdated": "none",
    "Meta.source": "N", "Meta.versionId": "none", "Coding.version": "none", "Attachment.contentType": "none",
    "Attachment.hash": "none", "Element.id": "none", "Identifier.system": "none",
}
BY_TYPE = {
    "date": "C", "dateTime": "C", "instant": "C", "string": "free", "markdown": "free", "xhtml": "free", "base64Binary": "free",
    "url": "N",
}


def classes(letters):
    """('identifier,money', fin): the class words of letters."""
    words = letters.replace("?", "").split()
    found = {LETTERS[w] for w in words if LETTERS[w]}
    text = [c for c in ORDER if c in found]
    if found and "fin" in words:
        text.append("money")
    return ",".join(text) or "none"


# R5 put further abstract types between; they add nothing.
OLD_BASES = {"DataType": "Element", "BackboneType": "BackboneElement", "Base": None, "CanonicalResource": "DomainResource",
             "MetadataResource": "DomainResource"}


class Element:
    def __init__(self, name, cardinality, types, codes, phi, weak, words):
        self.name, self.cardinality, self.types = name, cardinality, types
        self.codes, self.phi, self.weak, self.words = codes, phi, weak, words
        self.children = []

    def says(self):
        return (self.cardinality, self.types, self.codes, self.phi, self.weak)

    def same(self, other):
        return (self.name == other.name and self.says() == other.says() and len(self.children) == len(other.children)
                and all(a.same(b) for a, b in zip(self.children, other.children)))

    def line(self, version, depth):
        fields = [self.name, version, self.cardinality, self.types]
        if self.codes:
            fields.append("codes=" + self.codes)
        if self.phi:
            fields.append("phi=" + self.phi)
        if self.weak:
            fields.append("class=" + self.weak)
        if self.words:
            fields.append("name=" + self.words)
        return "\t" * depth + "\t".join(fields)


class Converter:
    def __init__(self, facts, names):
        self.facts = {v: json.loads((facts / v.lower() / "resources.json").read_text()) for v in VERSIONS}
        self.primitives = {v: json.loads((facts / v.lower() / "primitives.json").read_text()) for v in VERSIONS}
        self.valuesets = {v: json.loads((facts / v.lower() / "valuesets.json").read_text())["valuesets"] for v in VERSIONS}
        self.paths = json.loads((facts / "phi.json").read_text())["paths"] | PATHS_OF_OURS
        self.names = names
        self.used_names = set()
        self.used_paths = set()
        self.lists, self.used_lists = {}, set()
        for v in VERSIONS:
            for s in self.valuesets[v]:
                if "codes" in s and "required" in s["strength"]:
                    self.lists[v, s["id"]] = sorted({c for system in s["codes"].values() for c in system})
        self.open = {}
        for v in VERSIONS:
            del self.facts[v]["$meta"]
            value = next(e for e in self.facts[v]["Extension"]["elements"] if e["p"] == "Extension.value[x]")
            self.open[v] = value["t"]

    # ---- elements ----

    def type_of(self, version, e):
        if "cr" in e:
            return "=" + e["cr"]
        types = e.get("t", [])
        if e.get("rep") == "xmlAttr" and e["p"].endswith(".id"):
            types = ["string"]  # R5 says id in one place and string in the next; an XML attribute either way
        if types == self.open[version]:
            return "*"
        refs = [r for r in e.get("ref", []) if r != "Resource"]
        return ",".join(t + (f"({'|'.join(refs)})" if t in ("Reference", "CodeableReference", "canonical") and refs
                                                       and t != "canonical" else "") for t in types)

    def codes_of(self, version, e):
        binding = e.get("b")
        if not binding or binding[0] != "required" or e.get("t") != ["code"]:
            return None
        if (version, binding[1]) not in self.lists:
            return None
        self.used_lists.add((version, binding[1]))
        return binding[1]

    def listed(self, path):
        if path in self.paths:
            self.used_paths.add(path)
            return classes(self.paths[path])
        return None

    def weak(self, version, root, kind, path):
        """What an element carries where nothing is listed for it."""
        if path.endswith(".id"):
            return "none" if kind == "complex-type" or path.count(".") > 1 else "identifier"
        if kind == "complex-type" and not path.endswith(".extension"):
            for known in (path, root, self.facts[version][root]["base"]):
                if known in MEMBERS:
                    return classes(MEMBERS[known])
        return None

    def tree(self, version, name):
        fact = self.facts[version][name]
        top = Element(name, None, None, None, None, None, None)
        by_path = {name: top}
        for e in fact["elements"][1:]:
            path = e["p"]
            weak = self.weak(version, name, fact["kind"], path)
            types = self.type_of(version, e)
            if weak == "none" and types not in BY_TYPE:
                weak = None
            element = Element(path.rsplit(".", 1)[1], f"{e['min']}..{e['max']}", types, self.codes_of(version, e),
                              self.listed(path), weak, self.name_of(path))
            by_path[path] = element
            by_path[path.rsplit(".", 1)[0]].children.append(element)
        return top

    def name_of(self, path):
        if path in self.names:
            self.used_names.add(path)
        return self.names.get(path)

    def drop_inherited(self, version, name, top, whole):
        """Leaves out what the base type says alike."""
        def elements(base):
            if base is None:
                return []
            inherited = elements(self.facts[version][base]["base"])
            own = whole[base].children
            names = {o.name for o in own}
            return [i for i in inherited if i.name not in names] + own

        def drop(element, base):
            inherited = elements(base)
            kept = element.children[:len(inherited)]
            if [k.name for k in kept] != [i.name for i in inherited]:
                sys.exit(f"{version} {name} {element.name}: does not begin with the elements of {base}")
            own = [k for k, i in zip(kept, inherited) if not (i.same(k) or self.inherits(k, i))] + element.children[len(inherited):]
            for child in element.children:
                if child.children:
                    drop(child, child.types)
            element.children = own

        drop(top, self.facts[version][name]["base"])

    @staticmethod
    def inherits(element, base):
        return (element.cardinality, element.types, element.codes) == (base.cardinality, base.types, base.codes) and not element.phi \
            and element.weak in (None, base.weak)

    # ---- merging ----

    def merged(self, old, new, depth, out):
        matcher = difflib.SequenceMatcher(a=[e.name for e in old], b=[e.name for e in new], autojunk=False)
        for what, a0, a1, b0, b1 in matcher.get_opcodes():
            if what == "equal":
                for a, b in zip(old[a0:a1], new[b0:b1]):
                    if a.says() == b.says():
                        out.append(a.line("-", depth))
                        self.merged(a.children, b.children, depth + 1, out)
                    else:
                        self.alone(a, "R4", depth, out)
                        self.alone(b, "R5", depth, out)
                continue
            for a in old[a0:a1]:
                self.alone(a, "R4", depth, out)
            for b in new[b0:b1]:
                self.alone(b, "R5", depth, out)

    def alone(self, element, version, depth, out):
        out.append(element.line(version, depth))
        for child in element.children:
            self.alone(child, version, depth + 1, out)

    def types(self, kind):
        trees = {v: {n: self.tree(v, n) for n in self.facts[v]} for v in VERSIONS}
        whole = copy.deepcopy(trees)
        for v in VERSIONS:
            for n in self.facts[v]:
                self.drop_inherited(v, n, trees[v][n], whole[v])
        out = []
        for name in sorted(set(trees["R4"]) | set(trees["R5"])):
            if name in OLD_BASES or name == "PrimitiveType":
                continue
            have = [v for v in VERSIONS if name in trees[v] and self.facts[v][name]["kind"] == kind]
            if not have:
                continue
            heads = {v: OLD_BASES.get(self.facts[v][name]["base"], self.facts[v][name]["base"]) or "-" for v in have}
            words = self.name_of(name)
            tail = (["phi=open"] if name in IMPERSONAL else []) + (["name=" + words] if words else [])
            if len(set(heads.values())) == 1:
                out.append("\t".join(["type", name, "-" if len(have) == 2 else have[0], heads[have[0]]] + tail))
                old = trees["R4"][name].children if "R4" in have else []
                new = trees["R5"][name].children if "R5" in have else []
                if len(have) == 2:
                    self.merged(old, new, 1, out)
                else:
                    for e in old or new:
                        self.alone(e, "-", 1, out)
            else:
                for v in have:
                    out.append("\t".join(["type", name, v, heads[v]] + tail))
                    for e in trees[v][name].children:
                        self.alone(e, "-", 1, out)
        return out

    def codes(self):
        out = []
        for name in sorted({n for _, n in self.used_lists}):
            both = [self.lists[v, name] if (v, name) in self.used_lists else None for v in VERSIONS]
            if both[0] == both[1]:
                heads = [("-", both[0])]
            else:
                heads = [(v, codes) for v, codes in zip(VERSIONS, both) if codes]
            for version, codes in heads:
                out.append(f"list\t{name}\t{version}")
                out += ["\t" + " ".join(codes[i:i + 12]) for i in range(0, len(codes), 12)]
        return out

    def primitive_lines(self):
        values = {
            "boolean": "bool", "integer": "int", "positiveInt": "int", "unsignedInt": "int", "integer64": "int",
            "decimal": "decimal", "date": "date", "dateTime": "moment", "instant": "moment", "time": "time", "code": "code",
            "base64Binary": "binary",
        }
        names = [{p["name"]: p for p in self.primitives[v]} for v in VERSIONS]
        out = []
        for name in sorted(set(names[0]) | set(names[1])):
            version = "-" if name in names[0] and name in names[1] else "R4" if name in names[0] else "R5"
            known = classes(BY_TYPE.get(name, "none"))
            out.append("\t".join(["primitive", name, version, values.get(name, "text")] + (["class=" + known] if known != "none" else [])))
        for i, v in enumerate(VERSIONS):
            out.append("\t".join(["open", v, ",".join(self.open[v])]))
        return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    facts, to = map(pathlib.Path, sys.argv[1:])
    names = {}
    for line in (pathlib.Path(__file__).parent / "fhir_names.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            path, words = line.split("\t")
            names[path] = words
    c = Converter(facts, names)
    to.mkdir(parents=True, exist_ok=True)
    for file, head, lines in (
            ("resources.tsv", "fhir\tresources", c.types("resource")), ("datatypes.tsv", "fhir\tdatatypes", c.types("complex-type")),
            ("codes.tsv", "fhir\tcodes", c.codes()), ("primitives.tsv", "fhir\tprimitives", c.primitive_lines())):
        (to / file).write_text("\n".join([head] + lines) + "\n")
    for path in sorted(set(names) - c.used_names):
        print("name of no element:", path)
    known = set(c.facts["R4"]) | set(c.facts["R5"])
    for path in sorted(set(c.paths) - c.used_paths):
        if not path.endswith(".*") and "(" not in path and "deceased" not in path and path.split(".")[0] in known:
            print("class of no element:", path)


if __name__ == "__main__":
    main()
