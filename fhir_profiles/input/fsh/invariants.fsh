// Every rule that matters, written without type tests, so that validators of different make agree on it.

Invariant: crlm-effective-day
Description: "When is a date or a time, not a period or a schedule"
Expression: "effective.start.empty() and effective.end.empty() and effective.repeat.empty() and effective.event.empty()"
Severity: #error

Invariant: crlm-of-patient
Description: "The subject is one patient, not a group, a device or a place"
Expression: "subject.reference.matches('(^|/)Patient/') or subject.reference.startsWith('urn:uuid:') or subject.reference.startsWith('#') or subject.identifier.value.exists()"
Severity: #error

Invariant: crlm-study-named
Description: "The study (or, in the operating theatre, the operation) is named in partOf or derivedFrom"
Expression: "(partOf | derivedFrom).where(reference.matches('(^|/)(ImagingStudy|Procedure)/') or reference.startsWith('urn:uuid:') or reference.startsWith('#') or identifier.value.exists()).exists()"
Severity: #error

Invariant: crlm-one-lesion
Description: "Exactly one lesion, a BodyStructure or its tracking identifier"
Expression: "focus.count() = 1 and focus.all(reference.matches('(^|/)BodyStructure/') or reference.startsWith('urn:uuid:') or reference.startsWith('#') or identifier.value.exists())"
Severity: #error

Invariant: crlm-modality-coded
Description: "The modality is coded"
Expression: "method.coding.where(system.exists() and code.exists()).exists()"
Severity: #error

Invariant: crlm-value-or-reason
Description: "A value or the reason it is absent, never both, never neither"
Expression: "value.exists() xor dataAbsentReason.exists()"
Severity: #error

Invariant: crlm-identified
Description: "A tracking UID or a label"
Expression: "identifier.where(type.coding.where(code = '112040' or code = '112039' or code = '121151' or code = 'BodyStructure').exists() and value.exists()).exists()"
Severity: #error

Invariant: crlm-uid
Description: "A tracking UID is a DICOM UID"
Expression: "identifier.where(type.coding.where(code = '112040').exists()).all(system = 'urn:dicom:uid' and value.matches('^(urn:oid:)?[0-2](\\\\.(0|[1-9][0-9]*))+$'))"
Severity: #error

Invariant: crlm-liver-site
Description: "The location is the liver or one of its segments, coded"
Expression: "location.coding.where((system = 'http://snomed.info/sct' and code in ('10200004' | '71133005' | '277956007' | '277957003' | '277958008' | '277959000' | '277960005' | '277961009' | '277962002')) or (system = 'https://vestige.example/fhir/CodeSystem/crlm' and code in ('segment-IVa' | 'segment-IVb'))).exists()"
Severity: #error

Invariant: crlm-length
Description: "Each diameter is more than 0 mm, at most 300 mm, in mm or cm; a lesion not seen has no size"
Expression: "component.where(code.coding.where(system = 'http://loinc.org' and (code = '33728-7' or code = '33729-5')).exists()).all(dataAbsentReason.exists() xor (value.value > 0 and value.system = 'http://unitsofmeasure.org' and ((value.code = 'mm' and value.value <= 300) or (value.code = 'cm' and value.value <= 30))))"
Severity: #error

Invariant: crlm-visibility-value
Description: "Present, not detected or indeterminate, and only one of them"
Expression: "value.empty() or value.coding.where(system = 'http://snomed.info/sct' and code in ('52101004' | '260373001' | '260415000' | '82334004')).count() = 1"
Severity: #error

Invariant: crlm-not-assessed
Description: "Without a value the site was not assessed: not performed, or unknown"
Expression: "dataAbsentReason.empty() or dataAbsentReason.coding.where(system = 'http://terminology.hl7.org/CodeSystem/data-absent-reason' and code in ('not-performed' | 'unknown' | 'error' | 'not-applicable')).exists()"
Severity: #error

Invariant: crlm-measure-unit
Description: "The unit fits the measure"
Expression: "value.empty() or (value.system = 'http://unitsofmeasure.org' and ((code.coding.where(code = '113041' or code = '113290').exists() and value.code in ('mm2/s' | 'um2/s' | '10*-3.mm2/s' | '10*-6.mm2/s')) or (code.coding.where(code = '126401').exists() and value.code = 'g/ml{SUVbw}') or (code.coding.where(code = '126402').exists() and value.code = 'g/ml{SUVlbm}') or (code.coding.where(code = '112031').exists() and value.code = '[hnsf\\'U]')))"
Severity: #error

Invariant: crlm-component-value
Description: "Every component has a value or the reason it is absent"
Expression: "component.all(value.exists() xor dataAbsentReason.exists())"
Severity: #error

Invariant: crlm-rim-width
Description: "The width of a rim is a positive length in mm"
Expression: "component.where(code.coding.where(code = 'rim-width').exists()).all(dataAbsentReason.exists() or (value.value > 0 and value.code = 'mm'))"
Severity: #error

Invariant: crlm-morphology-group
Description: "The CT morphology group is 1, 2 or 3"
Expression: "component.where(code.coding.where(code = 'mda-morphology-group').exists()).all(dataAbsentReason.exists() or value in (1 | 2 | 3))"
Severity: #error

Invariant: crlm-adequacy-value
Description: "Adequate, limited or non-diagnostic"
Expression: "value.coding.where(system = 'https://vestige.example/fhir/CodeSystem/crlm' and code in ('adequate' | 'limited' | 'non-diagnostic')).count() = 1"
Severity: #error

Invariant: crlm-slice
Description: "Slice thickness is more than 0 and at most 20 mm"
Expression: "component.where(code.coding.where(code = 'slice-thickness').exists()).all(dataAbsentReason.exists() or (value.value > 0 and value.value <= 20 and value.code = 'mm'))"
Severity: #error

Invariant: crlm-b-value
Description: "The highest b value is 0 to 3000 s/mm2"
Expression: "component.where(code.coding.where(code = 'maximum-b-value').exists()).all(dataAbsentReason.exists() or (value.value >= 0 and value.value <= 3000 and value.code = 's/mm2'))"
Severity: #error

Invariant: crlm-partial-coverage
Description: "Whole liver leaves no segment out"
Expression: "component.where(code.coding.where(code = 'coverage').exists() and value.coding.where(code = 'whole-liver').exists()).empty() or component.where(code.coding.where(code = 'excluded-segment').exists()).empty()"
Severity: #error

Invariant: crlm-artefact-place
Description: "No artefact has no place"
Expression: "component.where(code.coding.where(code = 'artefact').exists() and value.coding.where(code = 'none').exists()).empty() or component.where(code.coding.where(code = 'artefact-segment').exists()).empty()"
Severity: #error

Invariant: crlm-study-started
Description: "When the study was done"
Expression: "started.exists()"
Severity: #error

Invariant: crlm-study-modality
Description: "A DICOM modality, on the study or on a series"
Expression: "(modality | series.modality).where(system = 'http://dicom.nema.org/resources/ontology/DCM' and code.exists()).exists()"
Severity: #error

Invariant: crlm-cea-unit
Description: "The unit fits the family: mass in ng/mL or ug/L, arbitrary units per volume, moles per volume"
Expression: "value.empty() or (value.system = 'http://unitsofmeasure.org' and ((code.coding.where(code = '2039-6' or code = '83085-1').exists() and value.code in ('ng/mL' | 'ug/L')) or (code.coding.where(code = '19166-8').exists() and value.code in ('[arb\\'U]/mL' | 'k[IU]/L' | '[IU]/mL')) or (code.coding.where(code = '19167-6').exists() and value.code = 'pmol/L')))"
Severity: #error

Invariant: crlm-cea-number
Description: "A concentration is not negative"
Expression: "value.empty() or value.value >= 0"
Severity: #error

Invariant: crlm-cea-limit
Description: "The upper limit of the laboratory is in the unit of the value"
Expression: "value.empty() or referenceRange.high.exists() implies referenceRange.where(high.exists()).all(high.code = %resource.value.code and high.value > 0)"
Severity: #error

Invariant: crlm-drug-coded
Description: "The drug is coded in RxNorm or ATC"
Expression: "medication.coding.where((system = 'http://www.nlm.nih.gov/research/umls/rxnorm' or system = 'http://www.whocc.no/atc') and code.exists()).exists() or medication.reference.exists()"
Severity: #error

Invariant: crlm-dose-day
Description: "A dose has a day"
Expression: "effective.exists() and (effective.start.exists() or effective.end.empty())"
Severity: #error

Invariant: crlm-operation-day
Description: "A completed operation has a day"
Expression: "status != 'completed' or performed.exists()"
Severity: #error

Invariant: crlm-target-lesion
Description: "A target is a BodyStructure or its tracking identifier"
Expression: "extension.where(url = 'http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure').all(value.reference.matches('(^|/)BodyStructure/') or value.reference.startsWith('urn:uuid:') or value.identifier.value.exists())"
Severity: #error

Invariant: crlm-intraoperative-method
Description: "The method is intraoperative ultrasound, without or with contrast"
Expression: "method.coding.where((system = 'https://vestige.example/fhir/CodeSystem/crlm' and code in ('ious' | 'ce-ious')) or (system = 'http://loinc.org' and code in ('30706-6' | '30701-7'))).exists()"
Severity: #error

Invariant: crlm-disposition-value
Description: "Resect, ablate, watch-and-wait, left-in-situ or undecided, and only one of them"
Expression: "value.coding.where(system = 'https://vestige.example/fhir/CodeSystem/crlm' and code in ('resect' | 'ablate' | 'watch-and-wait' | 'left-in-situ' | 'undecided')).count() = 1"
Severity: #error

Invariant: crlm-disposition-level
Description: "A disposition of a lesion names the lesion; one of the patient says so"
Expression: "focus.exists() xor component.where(code.coding.where(code = 'disposition-level').exists() and value.coding.where(code = 'patient').exists()).exists()"
Severity: #error

Invariant: crlm-membership
Description: "At least one of: in the planned specimen, in the future remnant, as yes or no"
Expression: "component.where(code.coding.where(code = 'in-planned-specimen' or code = 'in-future-remnant').exists()).exists() and component.where(code.coding.where(code = 'in-planned-specimen' or code = 'in-future-remnant').exists()).all((value = true or value = false) xor dataAbsentReason.exists())"
Severity: #error

Invariant: crlm-depth
Description: "Depth below the capsule is 0 to 150 mm"
Expression: "component.where(code.coding.where(code = 'depth-below-capsule').exists()).all(dataAbsentReason.exists() or (value.value >= 0 and value.value <= 150 and value.code = 'mm' and value.system = 'http://unitsofmeasure.org'))"
Severity: #error

Invariant: crlm-attribute-said
Description: "At least one property"
Expression: "component.exists()"
Severity: #error

Invariant: crlm-new-value
Description: "New, not new or indeterminate"
Expression: "value.empty() or value.coding.where(code in ('new' | 'not-new' | 'indeterminate' | '82334004')).count() = 1"
Severity: #error

Invariant: crlm-trg
Description: "The tumour regression grade is 1 to 5"
Expression: "component.where(code.coding.where(code = 'tumour-regression-grade').exists()).all(dataAbsentReason.exists() or (value >= 1 and value <= 5))"
Severity: #error

Invariant: crlm-viable
Description: "Viable cells are 0 to 100 per cent"
Expression: "component.where(code.coding.where(code = 'viable-tumour-percent').exists()).all(dataAbsentReason.exists() or (value.value >= 0 and value.value <= 100 and value.code = '%'))"
Severity: #error

Invariant: crlm-fact-percent
Description: "The future liver remnant is 0 to 100 per cent"
Expression: "code.coding.where(code = 'future-liver-remnant').empty() or dataAbsentReason.exists() or (value.value >= 0 and value.value <= 100 and value.code = '%')"
Severity: #error

Invariant: crlm-fact-ecog
Description: "The performance status is 0 to 5"
Expression: "code.coding.where(code = '89247-1').empty() or dataAbsentReason.exists() or value.coding.exists() or (value >= 0 and value <= 5)"
Severity: #error

Invariant: crlm-order-coded
Description: "A planned liver operation is coded as resection or operative ablation"
Expression: "code.coding.where((system = 'http://snomed.info/sct' and code in ('107963000' | '72106008' | '174430004' | '71273005')) or (system = 'https://vestige.example/fhir/CodeSystem/crlm' and code in ('hepatectomy' | 'liver-ablation' | 'liver-ablation-operative' | 'liver-ablation-percutaneous'))).exists()"
Severity: #error

Invariant: crlm-order-ended
Description: "A revoked order says when it was revoked"
Expression: "status != 'revoked' or extension.where(url = 'https://vestige.example/fhir/StructureDefinition/crlm-ended').exists()"
Severity: #error

Invariant: crlm-member
Description: "The members are Observations"
Expression: "hasMember.all(reference.matches('(^|/)Observation/') or reference.startsWith('urn:uuid:') or reference.startsWith('#'))"
Severity: #error
