"""Every code that Vestige reads or writes, each with its system, display and verification status.

verified: display seen in the DICOM dictionaries, in a published guide, or in two independent sources.
single-source: one source; read, and written only where nothing better exists. local: no standard code
found, from our own code system. Codes that mean something else (a polyp size, "Absent", mammography
findings) are left out on purpose. Displays are shortened; SNOMED CT, LOINC and RadLex have licence terms
of their own (NOTICE).
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple

CANONICAL = "https://vestige.example/fhir"
LOCAL = f"{CANONICAL}/CodeSystem/crlm"

SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
HGNC = "http://www.genenames.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
RADLEX = "http://radlex.org"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DICOM_UID = "urn:dicom:uid"

# Other names under which the same code systems arrive; read, never written.
SYSTEM_ALIASES = {
    "urn:oid:2.16.840.1.113883.6.96": SCT,
    "http://snomed.info/id": SCT,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "https://loinc.org": LOINC,
    "urn:oid:1.2.840.10008.2.16.4": DCM,
    "http://dicom.nema.org/resources/ontology/dcm": DCM,
    "DCM": DCM,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
    "https://unitsofmeasure.org": UCUM,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "https://www.whocc.no/atc": ATC,
    "http://fhir.de/CodeSystem/bfarm/atc": ATC,
    "http://fhir.de/CodeSystem/dimdi/atc": ATC,
    "urn:oid:2.16.840.1.113883.6.3": ICD10,
    "urn:oid:2.16.840.1.113883.6.90": ICD10,
    "http://hl7.org/fhir/sid/icd-10-cm": ICD10,
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": ICD10,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": ICD10,
    "http://www.radlex.org": RADLEX,
    "http://www.genenames.org/geneId": HGNC,
}


class Status(StrEnum):
    """How far a code is verified."""

    VERIFIED = "verified"
    SINGLE_SOURCE = "single-source"
    LOCAL = "local"


class Code(NamedTuple):
    """One code: system, code, display and verification status."""

    system: str
    code: str
    display: str
    status: Status = Status.VERIFIED


class Coded(Enum):
    """Base of the enums of codes: a member's value is its Code."""

    # A member is equal to itself alone; Enum's own hash is a Python function, and much slower in tables.
    __hash__ = object.__hash__

    @property
    def system(self) -> str:
        """The code system's canonical URL."""
        return self._code.system

    @property
    def code(self) -> str:
        """The code itself."""
        return self._code.code

    @property
    def display(self) -> str:
        """A short display."""
        return self._code.display

    @property
    def status(self) -> Status:
        """How far the code is verified."""
        return self._code.status

    @property
    def _code(self) -> Code:
        value = self.value
        assert isinstance(value, Code)
        return value

    @property
    def coding(self) -> dict[str, str]:
        """A FHIR Coding."""
        return {"system": self.system, "code": self.code, "display": self.display}

    @property
    def concept(self) -> dict[str, list[dict[str, str]]]:
        """A FHIR CodeableConcept of this one coding."""
        return {"coding": [self.coding]}


def local(code: str, display: str) -> Code:
    """A code of our own code system."""
    return Code(LOCAL, code, display, Status.LOCAL)


def single(system: str, code: str, display: str) -> Code:
    """A code seen in one source only."""
    return Code(system, code, display, Status.SINGLE_SOURCE)


class Identifier(Coded):
    """Types of the identifiers of a tracked lesion and of a study."""

    TRACKING_UID = Code(DCM, "112040", "Tracking Unique Identifier")
    TRACKING_ID = Code(DCM, "112039", "Tracking Identifier")
    LESION_ID = Code(DCM, "121151", "Lesion Identifier")
    LABEL = Code(RESOURCE_TYPES, "BodyStructure", "BodyStructure")
    STUDY_UID = Code(DCM, "110180", "Study Instance UID")


class Site(Coded):
    """Anatomy: the liver, its Couinaud segments, and regions of an examination."""

    LIVER = Code(SCT, "10200004", "Liver")
    I = Code(SCT, "71133005", "Couinaud hepatic segment I")  # noqa: E741
    II = Code(SCT, "277956007", "Couinaud hepatic segment II")
    III = Code(SCT, "277957003", "Couinaud hepatic segment III")
    IV = Code(SCT, "277958008", "Couinaud hepatic segment IV")
    IVA = local("segment-IVa", "Couinaud hepatic segment IVa")
    IVB = local("segment-IVb", "Couinaud hepatic segment IVb")
    V = Code(SCT, "277959000", "Couinaud hepatic segment V")
    VI = Code(SCT, "277960005", "Couinaud hepatic segment VI")
    VII = Code(SCT, "277961009", "Couinaud hepatic segment VII")
    VIII = Code(SCT, "277962002", "Couinaud hepatic segment VIII")
    LIVER_BILIARY = Code(SCT, "303270005", "Liver and biliary structure")
    ABDOMEN = Code(SCT, "818981001", "Abdomen")
    ABDOMEN_PELVIS = Code(SCT, "818982008", "Abdomen and pelvis")
    ABDOMINAL_STRUCTURE = Code(SCT, "113345001", "Abdominal structure")
    UPPER_ABDOMEN = Code(SCT, "80581009", "Upper abdomen")
    CHEST_ABDOMEN = Code(SCT, "416550000", "Chest and abdomen")
    CHEST_ABDOMEN_PELVIS = Code(SCT, "416775004", "Chest, abdomen and pelvis")
    NECK_TO_PELVIS = Code(SCT, "416319003", "Neck, chest, abdomen and pelvis")
    NECK_CHEST_ABDOMEN = Code(SCT, "416152001", "Neck, chest and abdomen")
    WHOLE_BODY = Code(SCT, "38266002", "Entire body")
    PELVIS = Code(SCT, "816092008", "Pelvis")
    CHEST = Code(SCT, "816094009", "Chest")
    CHEST_CAVITY = Code(SCT, "43799004", "Chest cavity")
    THORAX = Code(SCT, "51185008", "Thoracic structure")
    HEAD = Code(SCT, "69536005", "Head")
    NECK = Code(SCT, "45048000", "Neck")
    BRAIN = Code(SCT, "12738006", "Brain")
    BREAST = Code(SCT, "76752008", "Breast")


SEGMENT_OF = {
    Site.LIVER: "liver",
    Site.I: "I",
    Site.II: "II",
    Site.III: "III",
    Site.IV: "IV",
    Site.IVA: "IVa",
    Site.IVB: "IVb",
    Site.V: "V",
    Site.VI: "VI",
    Site.VII: "VII",
    Site.VIII: "VIII",
}
SITE_OF_SEGMENT = {segment: site for site, segment in SEGMENT_OF.items()}

# Regions that certainly do not hold the liver are "other"; an unknown code is an unknown region.
REGION_OF = {
    Site.LIVER_BILIARY: "liver",
    Site.ABDOMEN: "abdomen",
    Site.ABDOMEN_PELVIS: "abdomen",
    Site.ABDOMINAL_STRUCTURE: "abdomen",
    Site.UPPER_ABDOMEN: "abdomen",
    Site.CHEST_ABDOMEN: "abdomen",
    Site.CHEST_ABDOMEN_PELVIS: "abdomen",
    Site.NECK_TO_PELVIS: "abdomen",
    Site.NECK_CHEST_ABDOMEN: "abdomen",
    Site.WHOLE_BODY: "whole-body",
    Site.PELVIS: "other",
    Site.CHEST: "other",
    Site.CHEST_CAVITY: "other",
    Site.THORAX: "other",
    Site.HEAD: "other",
    Site.NECK: "other",
    Site.BRAIN: "other",
    Site.BREAST: "other",
} | dict.fromkeys(SEGMENT_OF, "liver")


class Organ(Coded):
    """Organs beside the liver, as the place of a lesion; no regions of an examination, whose images of one of
    them may well hold the liver."""

    RECTUM = Code(SCT, "34402009", "Rectum")
    ANUS = Code(SCT, "53505006", "Anus")
    COLON = Code(SCT, "71854001", "Colon")
    CAECUM = Code(SCT, "32713005", "Caecum")
    ASCENDING_COLON = Code(SCT, "9040008", "Ascending colon")
    TRANSVERSE_COLON = Code(SCT, "485005", "Transverse colon")
    DESCENDING_COLON = Code(SCT, "32622004", "Descending colon")
    SIGMOID_COLON = Code(SCT, "60184004", "Sigmoid colon")
    LUNG = Code(SCT, "39607008", "Lung")
    PLEURA = Code(SCT, "3120008", "Pleura")
    BONE = Code(SCT, "272673000", "Bone")
    LYMPH_NODE = Code(SCT, "59441001", "Lymph node")
    PERITONEUM = Code(SCT, "15425007", "Peritoneum")
    SPLEEN = Code(SCT, "78961009", "Spleen")
    ADRENAL = Code(SCT, "23451007", "Adrenal gland")
    PANCREAS = Code(SCT, "15776009", "Pancreas")
    STOMACH = Code(SCT, "69695003", "Stomach")


class Morphology(Coded):
    """Morphology of a tracked lesion."""

    METASTASIS = Code(SCT, "14799000", "Neoplasm, metastatic")


class Method(Coded):
    """Modality of an observation."""

    CT = Code(SCT, "77477000", "Computed tomography")
    MRI = Code(SCT, "113091000", "Magnetic resonance imaging")
    US = Code(SCT, "16310003", "Diagnostic ultrasonography")
    PET = Code(SCT, "82918005", "Positron emission tomography")
    PET_CT_FDG = Code(SCT, "443271005", "PET/CT FDG imaging of whole body")
    CT_DICOM = Code(DCM, "CT", "Computed Tomography")
    MR_DICOM = Code(DCM, "MR", "Magnetic Resonance")
    US_DICOM = Code(DCM, "US", "Ultrasound")
    PT_DICOM = Code(DCM, "PT", "Positron emission tomography")
    CT_LIVER = single(SCT, "241549007", "Computed tomography of liver")
    MRI_LIVER = single(SCT, "241622002", "Magnetic resonance imaging of liver")
    MRI_LIVER_CONTRAST = Code(SCT, "431839003", "Magnetic resonance imaging of liver with contrast")
    IOUS = local("ious", "Intraoperative ultrasonography of the liver")
    CEIOUS = local("ce-ious", "Contrast-enhanced intraoperative ultrasonography of the liver")
    IOUS_LIVER = single(LOINC, "30706-6", "US Liver during surgery")
    IOUS_ANY = single(LOINC, "30701-7", "US during surgery")


CLASS_OF_METHOD = {
    Method.CT: "CT",
    Method.CT_DICOM: "CT",
    Method.CT_LIVER: "CT",
    Method.MRI: "MRI",
    Method.MR_DICOM: "MRI",
    Method.MRI_LIVER: "MRI",
    Method.MRI_LIVER_CONTRAST: "MRI",
    Method.US: "US",
    Method.US_DICOM: "US",
    Method.PET: "PET",
    Method.PT_DICOM: "PET",
    Method.PET_CT_FDG: "PET",
    Method.IOUS: "IOUS",
    Method.IOUS_LIVER: "IOUS",
    Method.IOUS_ANY: "IOUS",
    Method.CEIOUS: "CEIOUS",
}


class Size(Coded):
    """Lesion size, in the shape of the mCODE tumour size."""

    TUMOUR_SIZE = Code(LOINC, "21889-1", "Size Tumor")
    LONGEST = Code(LOINC, "33728-7", "Size.maximum dimension in Tumor")
    OTHER = Code(LOINC, "33729-5", "Size additional dimension in Tumor")
    LONG_AXIS = Code(SCT, "103339001", "Long axis")
    SHORT_AXIS = Code(SCT, "103340004", "Short axis")
    TTSM = local("too-small-to-measure", "Too small to measure")


class Visibility(Coded):
    """Values of a visibility statement; SNOMED CT's "Absent" is not one (it claims absence)."""

    PRESENT = Code(SCT, "52101004", "Present")
    DETECTED = Code(SCT, "260373001", "Detected")
    NOT_DETECTED = Code(SCT, "260415000", "Not detected")
    INDETERMINATE = Code(SCT, "82334004", "Indeterminate")
    VISIBLE_LOCAL = local("visible", "Visible")
    NOT_VISIBLE_LOCAL = local("not-visible", "Looked for and not seen")
    INDETERMINATE_LOCAL = local("indeterminate", "Indeterminate")
    NOT_ASSESSED_LOCAL = local("not-assessed", "Not assessed")


VISIBILITY_OF = {
    Visibility.PRESENT: "visible",
    Visibility.DETECTED: "visible",
    Visibility.VISIBLE_LOCAL: "visible",
    Visibility.NOT_DETECTED: "not-visible",
    Visibility.NOT_VISIBLE_LOCAL: "not-visible",
    Visibility.INDETERMINATE: "indeterminate",
    Visibility.INDETERMINATE_LOCAL: "indeterminate",
    Visibility.NOT_ASSESSED_LOCAL: "not-assessed",
}


class Measure(Coded):
    """Measured properties of a lesion."""

    ADC = Code(DCM, "113041", "Apparent Diffusion Coefficient")
    ADC_MONO = Code(DCM, "113290", "Mono-exponential Apparent Diffusion Coefficient")
    ATTENUATION = Code(DCM, "112031", "Attenuation Coefficient")
    SUV = Code(DCM, "126401", "SUVbw")
    SUL = Code(DCM, "126402", "SUVlbm")


class Feature(Coded):
    """Described properties of a lesion in one study."""

    MARGINS = Code(DCM, "111037", "Margins")
    CALCIFICATION = Code(DCM, "112030", "Calcification Descriptor")
    NECROSIS = Code(SCT, "6574001", "Necrosis")
    REMNANT = local("remnant-type", "Appearance of what remains of a lesion")
    CONSPICUITY = local("conspicuity-change", "Change of conspicuity against the previous study")
    RIM = local("rim-enhancement", "Enhancing rim or interface")
    RIM_WIDTH = local("rim-width", "Width of the enhancing rim")
    MORPHOLOGY_GROUP = local("mda-morphology-group", "CT morphology group 1 to 3")
    HBP_SIGNAL = local("hbp-signal", "Signal in the hepatobiliary phase")
    PET_AVID = local("pet-avid", "Uptake on positron emission tomography")
    ENHANCEMENT = local("enhancement-pattern", "Enhancement pattern")
    HALO = local("interface-halo", "Halo at the tumour and liver interface")
    NEW_LESION = local("new-lesion-assessment", "Whether a lesion is new")
    NATURE = local("lesion-nature", "Nature of a lesion")
    TARGET_ROLE = local("target-role", "Role in a response assessment")


class FeatureValue(Coded):
    """Values of described properties."""

    NONE = local("none", "None")
    CALCIFIED = local("calcified", "Calcified")
    FIBROTIC = local("fibrotic", "Fibrotic or delayed enhancing")
    HBP_CENTRAL = local("hbp-central", "Central enhancement in the hepatobiliary phase")
    CYSTIC_LIKE = local("cystic-like", "Cyst-like")
    ABLATION_ZONE = local("ablation-zone", "Ablation zone")
    INCREASED = local("increased", "Increased")
    SAME = local("same", "Same")
    DECREASED = local("decreased", "Decreased")
    THIN = local("thin", "Thin")
    THICK = local("thick", "Thick")
    NEW = local("new", "New")
    NOT_NEW = local("not-new", "Not new")
    HYPO = local("hypo", "Hypointense")
    ISO = local("iso", "Isointense")
    HYPER = local("hyper", "Hyperintense")
    METASTASIS = local("metastasis", "Metastasis")
    BENIGN = local("benign", "Benign")
    SHARP = local("sharp", "Sharp")
    ILL_DEFINED = local("ill-defined", "Ill-defined")
    TARGET = Code(DCM, "112074", "Target Lesion at Baseline")
    NON_TARGET = Code(DCM, "112075", "Non-Target Lesion at Baseline")


class Topic(Coded):
    """Codes of the local Observations."""

    VISIBILITY = local("lesion-visibility", "Visibility of a tracked lesion in one study")
    TIMEPOINT = local("lesion-timepoint", "All statements on one lesion in one study")
    FEATURE = local("lesion-feature", "Described property of a lesion")
    ADEQUACY = local("exam-adequacy", "Fitness of one examination to rule out a liver metastasis")
    DISPOSITION = local("lesion-disposition", "What is to happen with a lesion")
    ATTRIBUTE = local("lesion-attribute", "Lasting property of a lesion")
    MEMBERSHIP = local("lesion-plan-membership", "Whether the planned specimen holds the site of a lesion")
    PATHOLOGY = local("pathologic-lesion-response", "Pathological response of one resected nodule")
    FLR = local("future-liver-remnant", "Future liver remnant")
    CHILD_PUGH = local("child-pugh", "Child-Pugh class")
    INTENT = local("treatment-intent", "Intent of treatment")
    REFUSAL = local("declines-surgery", "Patient declines local treatment")
    EXTRAHEPATIC = local("extrahepatic-status", "Course of disease outside the liver")
    MUCINOUS = local("mucinous-histology", "Mucinous histology")
    MRI_CONTRAINDICATION = local("mri-contraindication", "Reason against MRI or its contrast agent")
    STEATOSIS = local("steatosis-grade", "Grade of hepatic steatosis")
    HAI = local("hepatic-artery-infusion", "Hepatic artery infusion")
    TRANSPLANT = local("transplant-pathway", "Assessed for liver transplantation")
    STABLE = local("clinically-stable", "Clinically stable")
    NODE_POSITIVE = local("primary-node-positive", "Lymph node metastases of the primary tumour")
    LIVER_NORMAL = local("liver-background-normal", "Liver beside the metastases without injury")
    KRAS_MUTATED = local("kras-mutated", "KRAS mutation of the tumour")
    BIOPSY = local("lesion-biopsy", "Result of a biopsy of a lesion")
    PN_CATEGORY = Code(LOINC, "21900-6", "Regional lymph nodes.pathology [Class] Cancer")
    PN_CATEGORY_SCT = Code(SCT, "371494008", "pN category")
    VARIANT = Code(LOINC, "69548-6", "Genetic variant assessment")
    MEASUREMENT_GROUP = Code(DCM, "125007", "Measurement Group")
    ECOG = Code(LOINC, "89247-1", "ECOG Performance Status score")
    MSI = Code(LOINC, "81695-9", "Microsatellite instability")


class Protocol(Coded):
    """Components of an examination's adequacy."""

    AGENT = local("contrast-agent", "Contrast agent")
    HBP = local("hepatobiliary-phase", "Hepatobiliary phase acquired")
    HBP_DELAYED = local("hepatobiliary-phase-delayed", "Delayed hepatobiliary phase acquired")
    HBP_QUALITY = local("hepatobiliary-phase-quality", "Quality of the hepatobiliary phase")
    DWI = local("diffusion-weighted-imaging", "Diffusion-weighted imaging acquired")
    MAX_B = local("maximum-b-value", "Highest b value")
    SLICE = local("slice-thickness", "Slice thickness")
    COVERAGE = local("coverage", "Coverage of the liver")
    COVERED = local("covered-segment", "Segment covered")
    EXCLUDED = local("excluded-segment", "Segment not covered")
    ARTEFACT = local("artefact", "Artefact")
    ARTEFACT_SEGMENT = local("artefact-segment", "Segment with artefact")
    RETICULATION = local("hbp-reticulation", "Reticular hypointensity in the hepatobiliary phase")
    RETICULATION_SEGMENT = local("reticulation-segment", "Segment with reticular hypointensity")
    LESION_MAP = local("lesion-map", "Lesion map available during the examination")


class ProtocolValue(Coded):
    """Values of an examination's adequacy and of its components."""

    ADEQUATE = local("adequate", "Adequate")
    LIMITED = local("limited", "Limited")
    NON_DIAGNOSTIC = local("non-diagnostic", "Non-diagnostic")
    GOOD = local("good", "Good")
    POOR = local("poor", "Poor")
    WHOLE_LIVER = local("whole-liver", "Whole liver")
    PARTIAL = local("partial", "Part of the liver")
    NONE = local("none", "None")
    PRESENT = local("present", "Present")
    DIFFUSE = local("diffuse", "Diffuse")
    SEGMENTS = local("segments", "In single segments")
    MOTION = Code(RADLEX, "RID11423", "Motion related artifact")
    INHOMOGENEITY = Code(RADLEX, "RID11408", "Non-uniform signal intensity artifact")
    YES = Code(SCT, "373066001", "Yes")
    NO = Code(SCT, "373067005", "No")


class Contrast(Coded):
    """Contrast agents."""

    GADOXETATE = Code(SCT, "440223009", "Gadoxetate disodium")
    GADOBENATE = Code(SCT, "792865009", "Gadobenate dimeglumine")
    GADOBUTROL = Code(SCT, "407976008", "Gadobutrol")
    GADOTERATE = Code(SCT, "712714000", "Gadoterate meglumine")
    GADOTERIDOL = Code(SCT, "353946009", "Gadoteridol")
    GADOPENTETATE = Code(SCT, "109216000", "Gadopentetate dimeglumine")
    GADOXETATE_ATC = Code(ATC, "V08CA10", "gadoxetic acid")
    OTHER = local("other-contrast", "Other contrast agent")
    NONE = local("no-contrast", "No contrast agent")


CONTRAST_OF = {
    Contrast.GADOXETATE: "gadoxetate",
    Contrast.GADOXETATE_ATC: "gadoxetate",
    Contrast.GADOBENATE: "gadobenate",
    Contrast.GADOBUTROL: "gadobutrol",
    Contrast.GADOTERATE: "other",
    Contrast.GADOTERIDOL: "other",
    Contrast.GADOPENTETATE: "other",
    Contrast.OTHER: "other",
    Contrast.NONE: "none",
}


class Cea(Coded):
    """Carcinoembryonic antigen; the three families are never mixed."""

    MASS = Code(LOINC, "2039-6", "Carcinoembryonic Ag [Mass/volume] in Serum or Plasma")
    MASS_IMMUNOASSAY = Code(LOINC, "83085-1", "Carcinoembryonic Ag [Mass/volume] by Immunoassay")
    ARBITRARY = Code(LOINC, "19166-8", "Carcinoembryonic Ag [Units/volume] in Serum or Plasma")
    MOLAR = Code(LOINC, "19167-6", "Carcinoembryonic Ag [Moles/volume] in Serum or Plasma")


CEA_FAMILY = {
    Cea.MASS: "mass",
    Cea.MASS_IMMUNOASSAY: "mass",
    Cea.ARBITRARY: "arbitrary",
    Cea.MOLAR: "molar",
}


class Drug(Coded):
    """Antineoplastic agents, by RxNorm ingredient and by ATC code, new and old."""

    OXALIPLATIN = Code(RXNORM, "32592", "oxaliplatin")
    IRINOTECAN = Code(RXNORM, "51499", "irinotecan")
    FLUOROURACIL = Code(RXNORM, "4492", "fluorouracil")
    CAPECITABINE = Code(RXNORM, "194000", "capecitabine")
    BEVACIZUMAB = Code(RXNORM, "253337", "bevacizumab")
    CETUXIMAB = Code(RXNORM, "318341", "cetuximab")
    PANITUMUMAB = single(RXNORM, "263034", "panitumumab")
    PEMBROLIZUMAB = Code(RXNORM, "1547545", "pembrolizumab")
    NIVOLUMAB = single(RXNORM, "1597876", "nivolumab")
    OXALIPLATIN_ATC = Code(ATC, "L01XA03", "oxaliplatin")
    IRINOTECAN_ATC = Code(ATC, "L01CE02", "irinotecan")
    IRINOTECAN_ATC_OLD = Code(ATC, "L01XX19", "irinotecan")
    FLUOROURACIL_ATC = Code(ATC, "L01BC02", "fluorouracil")
    CAPECITABINE_ATC = Code(ATC, "L01BC06", "capecitabine")
    BEVACIZUMAB_ATC = Code(ATC, "L01FG01", "bevacizumab")
    BEVACIZUMAB_ATC_OLD = Code(ATC, "L01XC07", "bevacizumab")
    RAMUCIRUMAB_ATC = Code(ATC, "L01FG02", "ramucirumab")
    RAMUCIRUMAB_ATC_OLD = Code(ATC, "L01XC21", "ramucirumab")
    AFLIBERCEPT_ATC = Code(ATC, "L01XX44", "aflibercept")
    REGORAFENIB_ATC = Code(ATC, "L01EX05", "regorafenib")
    REGORAFENIB_ATC_OLD = Code(ATC, "L01XE21", "regorafenib")
    CETUXIMAB_ATC = Code(ATC, "L01FE01", "cetuximab")
    CETUXIMAB_ATC_OLD = Code(ATC, "L01XC06", "cetuximab")
    PANITUMUMAB_ATC = Code(ATC, "L01FE02", "panitumumab")
    PANITUMUMAB_ATC_OLD = Code(ATC, "L01XC08", "panitumumab")
    NIVOLUMAB_ATC = Code(ATC, "L01FF01", "nivolumab")
    NIVOLUMAB_ATC_OLD = Code(ATC, "L01XC17", "nivolumab")
    PEMBROLIZUMAB_ATC = Code(ATC, "L01FF02", "pembrolizumab")
    PEMBROLIZUMAB_ATC_OLD = Code(ATC, "L01XC18", "pembrolizumab")
    DURVALUMAB_ATC_OLD = Code(ATC, "L01XC28", "durvalumab")
    AVELUMAB_ATC_OLD = Code(ATC, "L01XC31", "avelumab")
    ATEZOLIZUMAB_ATC_OLD = Code(ATC, "L01XC32", "atezolizumab")
    IPILIMUMAB_ATC = Code(ATC, "L01FX04", "ipilimumab")
    IPILIMUMAB_ATC_OLD = Code(ATC, "L01XC11", "ipilimumab")


_AGENT_OF_NAME = {
    "oxaliplatin": "oxaliplatin",
    "irinotecan": "irinotecan",
    "fluorouracil": "fluoropyrimidine",
    "capecitabine": "fluoropyrimidine",
    "bevacizumab": "bevacizumab",
    "aflibercept": "aflibercept",
    "ramucirumab": "ramucirumab",
    "regorafenib": "regorafenib",
    "cetuximab": "cetuximab",
    "panitumumab": "panitumumab",
}
AGENT_OF = {drug: _AGENT_OF_NAME.get(drug.display, "ici") for drug in Drug}
ICI_ATC_PREFIXES = ("L01FF", "L01FX04", "L01XC11", "L01XC17", "L01XC18", "L01XC28", "L01XC31", "L01XC32")
ANTINEOPLASTIC_ATC_PREFIX = "L01"


class Operation(Coded):
    """Procedures on the liver, orders and reviews."""

    LIVER_EXCISION = Code(SCT, "107963000", "Liver excision")
    LESION_EXCISION = Code(SCT, "72106008", "Excision of lesion of liver")
    SEGMENT_RESECTION = Code(SCT, "174430004", "Resection of segment of liver")
    PARTIAL_HEPATECTOMY = single(SCT, "71273005", "Hepatectomy, partial")
    HEPATECTOMY = local("hepatectomy", "Liver resection")
    ABLATION_OPERATIVE = local("liver-ablation-operative", "Open or laparoscopic ablation in the liver")
    ABLATION_PERCUTANEOUS = local("liver-ablation-percutaneous", "Percutaneous ablation in the liver")
    ABLATION = local("liver-ablation", "Ablation of a lesion of the liver")
    EMBOLISATION = local("liver-vein-embolisation", "Portal or hepatic vein embolisation")
    MARKER = local("liver-marker-placement", "Placement of a marker in the liver")
    OTHER_LOCAL = local("liver-local-treatment", "Other local treatment of a lesion of the liver")
    CHEMOTHERAPY = Code(SCT, "367336001", "Chemotherapy")
    CHEMOTHERAPY_COMBINED = Code(SCT, "394894008", "Pre-operative chemotherapy")
    CHEMORADIATION = Code(SCT, "703423002", "Combined chemotherapy and radiation therapy")
    CHEMOTHERAPY_CYCLE = local("chemotherapy-cycle", "Cycle of systemic therapy")
    STOP_CHEMOTHERAPY = local("stop-systemic-therapy", "Stop systemic therapy")
    MDT_REVIEW = Code(SCT, "708004003", "Multidisciplinary review")
    LIVER_MDT = local("liver-mdt-review", "Review by the liver multidisciplinary team")
    SURVEILLANCE = local("site-surveillance", "Imaging surveillance of the site of a lesion")


class Imaging(Coded):
    """Orders of imaging."""

    MR_LIVER_WO_W = single(LOINC, "30670-4", "MR Liver WO and W contrast IV")
    MR_LIVER_W = single(LOINC, "36231-9", "MR Liver W contrast IV")
    MR_LIVER_WO = single(LOINC, "30669-6", "MR Liver WO contrast")
    CT_LIVER_W = single(LOINC, "24815-3", "CT Liver W contrast IV")
    CT_LIVER = single(LOINC, "24814-6", "CT Liver")


class ImagingElsewhere(Coded):
    """Imaging of a part of the body that does not hold the liver."""

    CT_CHEST = Code(LOINC, "24627-2", "CT Chest")
    CT_CHEST_W = Code(LOINC, "24628-0", "CT Chest W contrast IV")
    CT_CHEST_WO = Code(LOINC, "29252-4", "CT Chest WO contrast")
    CT_HEAD = Code(LOINC, "24725-4", "CT Head")
    MR_BRAIN = Code(LOINC, "24590-2", "MR Brain")


class Disposition(Coded):
    """What is to happen with a lesion, and why."""

    RESECT = local("resect", "Resect")
    ABLATE = local("ablate", "Ablate")
    WATCH_AND_WAIT = local("watch-and-wait", "Watch and wait")
    LEFT_IN_SITU = local("left-in-situ", "Left in place by decision")
    UNDECIDED = local("undecided", "Undecided")
    WATCHFUL_WAITING = Code(SCT, "373818007", "No anti-cancer treatment - watchful waiting")
    ACTIVE_SURVEILLANCE = Code(SCT, "424313000", "Active surveillance")


class Reason(Coded):
    """Reasons of a disposition."""

    DISAPPEARED = local("reason-disappeared", "No longer seen on imaging")
    DECLINES = local("reason-patient-declines", "Patient declines")
    UNFIT = local("reason-unfit", "Not fit for treatment")
    EXTRAHEPATIC = local("reason-extrahepatic", "Disease outside the liver")
    PALLIATIVE = local("reason-palliative", "Palliative intent")
    OTHER = local("reason-other", "Other reason")


REASON_OF = {
    Reason.DISAPPEARED: "disappeared",
    Reason.DECLINES: "patient-declines",
    Reason.UNFIT: "unfit",
    Reason.EXTRAHEPATIC: "extrahepatic",
    Reason.PALLIATIVE: "palliative",
    Reason.OTHER: "other",
}


class Attribute(Coded):
    """Components of a lesion's lasting properties and of its place in a plan."""

    DEPTH = local("depth-below-capsule", "Depth below the liver capsule")
    MARKER = local("marker-present", "Marker at the site")
    MARKER_MIGRATED = local("marker-migrated", "Marker has migrated")
    EXTRA_RESECTION = local("extra-resection", "Resection that removing the site would add")
    CHARACTERISED = local("characterisation", "How the lesion was characterised at baseline")
    MERGED_INTO = local("merged-into", "Lesion it has merged into")
    IN_SPECIMEN = local("in-planned-specimen", "Site lies in the planned specimen")
    IN_REMNANT = local("in-future-remnant", "Site lies in the future liver remnant")
    LEVEL = local("disposition-level", "Lesion or patient")
    REASON = local("disposition-reason", "Reason")
    FOUND = local("lesion-in-specimen", "Lesion or its scar found in the resection specimen")
    TRG = local("tumour-regression-grade", "Tumour regression grade 1 to 5")
    VIABLE = local("viable-tumour-percent", "Viable tumour cells")


class AttributeValue(Coded):
    """Values of lasting properties."""

    NONE = local("none", "None")
    WEDGE = local("wedge", "Wedge")
    SEGMENTECTOMY = local("segmentectomy", "Segmentectomy")
    SECTIONECTOMY = local("sectionectomy", "Sectionectomy")
    HEMIHEPATECTOMY = local("hemihepatectomy", "Hemihepatectomy")
    DEFINITE = local("definite", "Definite")
    PRESUMED = local("presumed", "Presumed")
    LESION = local("lesion", "One lesion")
    PATIENT = local("patient", "The patient")


class BiopsyResult(Coded):
    """Results of a biopsy."""

    POSITIVE = local("biopsy-positive", "Tumour in the biopsy")
    NEGATIVE = local("biopsy-negative", "No tumour in the biopsy")
    INCONCLUSIVE = local("biopsy-inconclusive", "Biopsy not representative")


BIOPSY_OF = {
    BiopsyResult.POSITIVE: "positive",
    BiopsyResult.NEGATIVE: "negative",
    BiopsyResult.INCONCLUSIVE: "inconclusive",
}


class NodeCategory(Coded):
    """Pathological categories of the regional lymph nodes; pN1c, deposits without a node, is left out."""

    PN0 = Code(SCT, "1229947003", "American Joint Committee on Cancer pN0")
    PN1 = Code(SCT, "1229951001", "American Joint Committee on Cancer pN1")
    PN1A = single(SCT, "1229954009", "American Joint Committee on Cancer pN1a")
    PN1B = single(SCT, "1229955005", "American Joint Committee on Cancer pN1b")
    PN2 = Code(SCT, "1229957002", "American Joint Committee on Cancer pN2")
    PN2A = single(SCT, "1229959004", "American Joint Committee on Cancer pN2a")
    PN2B = single(SCT, "1229960009", "American Joint Committee on Cancer pN2b")


class Gene(Coded):
    """What a genetic variant assessment says of which gene."""

    STUDIED = Code(LOINC, "48018-6", "Gene studied [ID]")
    PRESENT = Code(LOINC, "LA9633-4", "Present")
    KRAS = Code(HGNC, "HGNC:6407", "KRAS")


class FactValue(Coded):
    """Coded values of facts on the patient."""

    CHILD_PUGH_A = local("A", "Child-Pugh class A")
    CHILD_PUGH_B = local("B", "Child-Pugh class B")
    CHILD_PUGH_C = local("C", "Child-Pugh class C")
    NONE = local("none", "None")
    STABLE = local("stable", "Stable disease outside the liver")
    RESPONSE = local("response", "Response of disease outside the liver")
    PROGRESSION = local("progression-definite", "Definite progression outside the liver")
    PROGRESSION_POSSIBLE = local("progression-indeterminate", "Possible progression outside the liver")
    NONE_KNOWN = local("none-known", "None known")
    CONTRAST_ALLERGY = local("contrast-allergy", "Allergy to contrast agents")
    DEVICE = local("device", "Implanted device")
    RENAL = local("renal", "Renal impairment")
    CLAUSTROPHOBIA = local("claustrophobia", "Claustrophobia")
    OTHER = local("other", "Other")
    MILD = local("mild", "Mild")
    MODERATE = local("moderate", "Moderate")
    SEVERE = local("severe", "Severe")


class Diagnosis(Coded):
    """Conditions that matter here."""

    LIVER_METASTASES = Code(SCT, "94381002", "Metastatic malignant neoplasm to liver")
    LIVER_METASTASES_ICD = Code(ICD10, "C78.7", "Secondary malignant neoplasm of liver")
    COLON = Code(SCT, "363406005", "Malignant tumor of colon")
    COLON_PRIMARY = Code(SCT, "93761005", "Primary malignant neoplasm of colon")
    COLON_OVERLAPPING = Code(SCT, "109838007", "Overlapping malignant neoplasm of colon")
    RECTUM = Code(SCT, "363351006", "Malignant tumor of rectum")
    RECTOSIGMOID = single(SCT, "363414004", "Malignant tumor of rectosigmoid junction")
    HCC = Code(SCT, "25370001", "Hepatocellular carcinoma")
    LUNG_METASTASES = Code(SCT, "94391008", "Metastasis to lung")
    STEATOSIS = Code(SCT, "197321007", "Steatosis of liver")
    STEATOHEPATITIS = Code(SCT, "442685003", "Nonalcoholic steatohepatitis")
    SOS = single(SCT, "65617004", "Veno-occlusive disease of the liver")
    CIRRHOSIS = Code(SCT, "19943007", "Cirrhosis of liver")
    PREGNANCY = Code(SCT, "77386006", "Patient currently pregnant")
    CKD_4 = Code(SCT, "431857002", "Chronic kidney disease stage 4")
    CLAUSTROPHOBIA = Code(SCT, "19887002", "Claustrophobia")
    PACEMAKER = Code(SCT, "441509002", "Cardiac pacemaker in situ")


CONDITION_OF = {
    Diagnosis.LIVER_METASTASES: "liver-metastases",
    Diagnosis.COLON: "colorectal-primary",
    Diagnosis.COLON_PRIMARY: "colorectal-primary",
    Diagnosis.COLON_OVERLAPPING: "colorectal-primary",
    Diagnosis.RECTUM: "colorectal-primary",
    Diagnosis.RECTOSIGMOID: "colorectal-primary",
    Diagnosis.HCC: "other-primary",
    Diagnosis.LUNG_METASTASES: "extrahepatic-metastases",
    Diagnosis.STEATOSIS: "steatosis",
    Diagnosis.STEATOHEPATITIS: "steatohepatitis",
    Diagnosis.SOS: "sos",
    Diagnosis.CIRRHOSIS: "cirrhosis",
    Diagnosis.PREGNANCY: "pregnancy",
    Diagnosis.CKD_4: "renal-impairment",
    Diagnosis.CLAUSTROPHOBIA: "claustrophobia",
    Diagnosis.PACEMAKER: "device",
}

# ICD-10 by the longest matching prefix (dots removed): chapters of malignant neoplasms and liver disease.
ICD10_CONDITION_OF_PREFIX = {
    "C787": "liver-metastases",
    "C78": "extrahepatic-metastases",
    "C79": "extrahepatic-metastases",
    "C18": "colorectal-primary",
    "C19": "colorectal-primary",
    "C20": "colorectal-primary",
    "C0": "other-primary",
    "C1": "other-primary",
    "C2": "other-primary",
    "C3": "other-primary",
    "C4": "other-primary",
    "C5": "other-primary",
    "C6": "other-primary",
    "C70": "other-primary",
    "C71": "other-primary",
    "C72": "other-primary",
    "C73": "other-primary",
    "C74": "other-primary",
    "C75": "other-primary",
    "K760": "steatosis",
    "K765": "sos",
    "K7581": "steatohepatitis",
    "K746": "cirrhosis",
    "N184": "renal-impairment",
    "N185": "renal-impairment",
    "Z950": "device",
}


class Severity(Coded):
    """Severity of a condition."""

    MILD = Code(SCT, "255604002", "Mild")
    MODERATE = Code(SCT, "6736007", "Moderate")
    SEVERE = Code(SCT, "24484000", "Severe")


class Device(Coded):
    """Implanted devices that speak against magnetic resonance imaging."""

    PACEMAKER = Code(SCT, "14106009", "Cardiac pacemaker, device")


class EcogGrade(Coded):
    """Answers of the performance status; the grade is the position."""

    GRADE_0 = single(LOINC, "LA9622-7", "0")
    GRADE_1 = single(LOINC, "LA9623-5", "1")
    GRADE_2 = single(LOINC, "LA9624-3", "2")
    GRADE_3 = single(LOINC, "LA9625-0", "3")
    GRADE_4 = single(LOINC, "LA9626-8", "4")
    GRADE_5 = single(LOINC, "LA9627-6", "5")


class Intent(Coded):
    """Intent of treatment."""

    CURATIVE = Code(SCT, "373808002", "Curative - procedure intent")
    PALLIATIVE = Code(SCT, "363676003", "Palliative - procedure intent")
    NEOADJUVANT = Code(SCT, "373847000", "Neo-adjuvant - intent")
    CURATIVE_LOCAL = local("curative", "Curative")
    CONVERSION = local("conversion", "Conversion to resectable")
    PALLIATIVE_LOCAL = local("palliative", "Palliative")


INTENT_OF = {
    Intent.CURATIVE: "curative",
    Intent.CURATIVE_LOCAL: "curative",
    Intent.NEOADJUVANT: "curative",
    Intent.CONVERSION: "conversion",
    Intent.PALLIATIVE: "palliative",
    Intent.PALLIATIVE_LOCAL: "palliative",
}


class Response(Coded):
    """Response categories and their criteria, from DICOM's response context groups."""

    TARGET_CR = Code(DCM, "112041", "Target Lesion Complete Response")
    TARGET_PR = Code(DCM, "112042", "Target Lesion Partial Response")
    TARGET_PD = Code(DCM, "112043", "Target Lesion Progressive Disease")
    TARGET_SD = Code(DCM, "112044", "Target Lesion Stable Disease")
    NON_TARGET_CR = Code(DCM, "112045", "Non-Target Lesion Complete Response")
    NON_TARGET_SD = Code(DCM, "112046", "Non-Target Lesion Incomplete Response or Stable Disease")
    NON_TARGET_PD = Code(DCM, "112047", "Non-Target Lesion Progressive Disease")
    CURRENT = Code(DCM, "112048", "Current Response")
    RECIST_1_0 = Code(DCM, "126080", "RECIST 1.0")
    RECIST_1_1 = Code(DCM, "126081", "RECIST 1.1")
    MSI_HIGH = single(LOINC, "LA26203-2", "MSI-H")
    MSI_LOW = single(LOINC, "LA26202-4", "MSI-L")
    MS_STABLE = single(LOINC, "LA14122-8", "Stable")


class Unit(Coded):
    """UCUM units."""

    MM = Code(UCUM, "mm", "mm")
    CM = Code(UCUM, "cm", "cm")
    UM = Code(UCUM, "um", "um")
    HU = Code(UCUM, "[hnsf'U]", "Hounsfield unit")
    PERCENT = Code(UCUM, "%", "%")
    ADC_MM2 = Code(UCUM, "mm2/s", "mm2/s")
    ADC_UM2 = Code(UCUM, "um2/s", "um2/s")
    SUV = Code(UCUM, "g/ml{SUVbw}", "g/ml{SUVbw}")
    SUL = Code(UCUM, "g/ml{SUVlbm}", "g/ml{SUVlbm}")
    B_VALUE = Code(UCUM, "s/mm2", "s/mm2")
    NG_ML = single(UCUM, "ng/mL", "ng/mL")
    UG_L = single(UCUM, "ug/L", "ug/L")


ALL: tuple[type[Coded], ...] = tuple(Coded.__subclasses__())


def every_code() -> tuple[Code, ...]:
    """All codes, in the order of this module."""
    return tuple(member._code for enum in ALL for member in enum)
