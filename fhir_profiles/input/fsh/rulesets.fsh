RuleSet: Published
* ^publisher = "Vestige"
* ^status = #active
* ^experimental = false

RuleSet: Categorised(code)
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains kind 1..1 MS
* category[kind] = $CATEGORY#{code}

RuleSet: Fact
* insert Published
* status MS
* subject 1..1 MS
* subject only Reference(Patient)
* effective[x] 1..1 MS
* effective[x] only dateTime
* obeys crlm-effective-day and crlm-of-patient

RuleSet: ImagingFact
* insert Fact
* insert Categorised(imaging)
* partOf MS
* derivedFrom MS
* method 1..1 MS
* obeys crlm-study-named and crlm-modality-coded

RuleSet: LesionFact
* insert ImagingFact
* focus 1..1 MS
* focus only Reference(BodyStructure)
* obeys crlm-one-lesion

RuleSet: LesionStatement
* insert Fact
* focus 1..1 MS
* focus only Reference(BodyStructure)
* obeys crlm-one-lesion
