// One valid instance of every profile; the validators must accept each of them.

RuleSet: Of(day)
* status = #final
* subject = Reference(Patient/example)
* effectiveDateTime = "{day}"

RuleSet: OnMRI(day)
* insert Of({day})
* focus = Reference(BodyStructure/example-lesion)
* partOf = Reference(ImagingStudy/example-study)
* method = $SCT#113091000

Instance: example-lesion
InstanceOf: CRLMLesion
Usage: #example
Title: "L3 in segment VI"
* identifier[trackingUid].value = "urn:oid:2.25.98700001"
* identifier[label].value = "L3"
* morphology = $SCT#14799000
* location = $SCT#277960005
* patient = Reference(Patient/example)

Instance: example-part
InstanceOf: CRLMLesion
Usage: #example
Title: "L3b, split off L3"
* extension[splitFrom].valueReference = Reference(BodyStructure/example-lesion)
* identifier[trackingUid].value = "urn:oid:2.25.98700003"
* identifier[label].value = "L3b"
* morphology = $SCT#14799000
* location = $SCT#277960005
* patient = Reference(Patient/example)

Instance: example-size
InstanceOf: CRLMLesionSize
Usage: #example
Title: "14 mm before treatment"
* insert OnMRI(2026-04-20)
* component[longest].valueQuantity = 14 'mm'
* component[other].valueQuantity = 1.1 'cm'

Instance: example-not-seen
InstanceOf: CRLMLesionVisibility
Usage: #example
Title: "Looked for and not seen"
* insert OnMRI(2026-10-01)
* valueCodeableConcept = $SCT#260415000

Instance: example-not-assessed
InstanceOf: CRLMLesionVisibility
Usage: #example
Title: "Not assessed"
* insert OnMRI(2026-10-01)
* dataAbsentReason = $ABSENT#not-performed

Instance: example-remnant
InstanceOf: CRLMLesionVisibility
Usage: #example
Title: "A calcified remnant is visible"
* insert OnMRI(2026-10-01)
* valueCodeableConcept = $SCT#52101004
* component[0].code = CRLMCodes#remnant-type
* component[0].valueCodeableConcept = CRLMCodes#calcified
* component[1].code = CRLMCodes#rim-width
* component[1].valueQuantity = 2 'mm'
* component[2].code = CRLMCodes#mda-morphology-group
* component[2].valueInteger = 2

Instance: example-intraoperative
InstanceOf: CRLMIntraoperativeVisibility
Usage: #example
Title: "Not found with contrast ultrasound at operation"
* insert Of(2026-11-16)
* focus.identifier.system = "urn:dicom:uid"
* focus.identifier.value = "urn:oid:2.25.98700001"
* partOf = Reference(Procedure/example-operation)
* method = CRLMCodes#ce-ious
* valueCodeableConcept = $SCT#260415000

Instance: example-measure
InstanceOf: CRLMLesionMeasure
Usage: #example
Title: "Diffusion"
* insert OnMRI(2026-10-01)
* code = $DCM#113041
* valueQuantity = 1350 'um2/s'

Instance: example-feature
InstanceOf: CRLMLesionFeature
Usage: #example
Title: "More conspicuous, thin rim"
* insert OnMRI(2026-10-01)
* component[0].code = CRLMCodes#conspicuity-change
* component[0].valueCodeableConcept = CRLMCodes#increased
* component[1].code = CRLMCodes#rim-enhancement
* component[1].valueCodeableConcept = CRLMCodes#thin

Instance: example-new-lesion
InstanceOf: CRLMNewLesion
Usage: #example
Title: "A new lesion"
* insert OnMRI(2026-10-01)
* valueCodeableConcept = CRLMCodes#new

Instance: example-timepoint
InstanceOf: CRLMLesionTimepoint
Usage: #example
Title: "All that was said of L3"
* insert OnMRI(2026-10-01)
* hasMember[0] = Reference(Observation/example-remnant)
* hasMember[1] = Reference(Observation/example-feature)

Instance: example-attribute
InstanceOf: CRLMLesionAttribute
Usage: #example
Title: "Deep, a segmentectomy away"
* insert Of(2026-10-01)
* focus = Reference(BodyStructure/example-lesion)
* component[0].code = CRLMCodes#depth-below-capsule
* component[0].valueQuantity = 42 'mm'
* component[1].code = CRLMCodes#extra-resection
* component[1].valueCodeableConcept = CRLMCodes#segmentectomy
* component[2].code = CRLMCodes#marker-present
* component[2].valueBoolean = false

Instance: example-study
InstanceOf: CRLMStudy
Usage: #example
Title: "MRI of the liver"
* status = #available
* subject = Reference(Patient/example)
* started = "2026-10-01T09:30:00+02:00"
* modality = $DCM#MR
* series.uid = "2.25.98700002.1"
* series.modality = $DCM#MR
* series.bodySite = $SCT#10200004

Instance: example-adequacy
InstanceOf: CRLMExamAdequacy
Usage: #example
Title: "Adequate gadoxetate MRI with an artefact in segment II"
* insert Of(2026-10-01)
* partOf = Reference(ImagingStudy/example-study)
* method = $SCT#113091000
* valueCodeableConcept = CRLMCodes#adequate
* component[0].code = CRLMCodes#contrast-agent
* component[0].valueCodeableConcept = $SCT#440223009
* component[1].code = CRLMCodes#hepatobiliary-phase
* component[1].valueBoolean = true
* component[2].code = CRLMCodes#hepatobiliary-phase-quality
* component[2].valueCodeableConcept = CRLMCodes#good
* component[3].code = CRLMCodes#diffusion-weighted-imaging
* component[3].valueBoolean = true
* component[4].code = CRLMCodes#maximum-b-value
* component[4].valueQuantity = 800 's/mm2'
* component[5].code = CRLMCodes#slice-thickness
* component[5].valueQuantity = 3 'mm'
* component[6].code = CRLMCodes#coverage
* component[6].valueCodeableConcept = CRLMCodes#whole-liver
* component[7].code = CRLMCodes#artefact
* component[7].valueCodeableConcept = $RADLEX#RID11423
* component[8].code = CRLMCodes#artefact-segment
* component[8].valueCodeableConcept = $SCT#277956007

Instance: example-cea
InstanceOf: CRLMCEA
Usage: #example
Title: "14 ng/mL, limit 5"
* insert Of(2026-10-01)
* code = $LNC#2039-6
* valueQuantity = 14 'ng/mL'
* referenceRange.high = 5 'ng/mL'

Instance: example-dose
InstanceOf: CRLMDose
Usage: #example
Title: "Oxaliplatin, cycle 3"
* extension[cycle].valuePositiveInt = 3
* status = #completed
* medicationCodeableConcept = $RXNORM#32592
* subject = Reference(Patient/example)
* effectiveDateTime = "2026-06-01"

Instance: example-operation
InstanceOf: CRLMOperation
Usage: #example
Title: "Resection with its target"
* extension[target].valueReference = Reference(BodyStructure/example-lesion)
* status = #completed
* code = $SCT#174430004
* subject = Reference(Patient/example)
* performedDateTime = "2026-11-16"

Instance: example-pathology
InstanceOf: CRLMPathology
Usage: #example
Title: "Grade 2, 5 per cent viable"
* insert Of(2026-11-20)
* focus = Reference(BodyStructure/example-lesion)
* component[0].code = CRLMCodes#tumour-regression-grade
* component[0].valueInteger = 2
* component[1].code = CRLMCodes#viable-tumour-percent
* component[1].valueQuantity = 5 '%'

Instance: example-biopsy
InstanceOf: CRLMBiopsy
Usage: #example
Title: "No tumour in the biopsy"
* insert Of(2026-10-20)
* focus = Reference(BodyStructure/example-lesion)
* valueCodeableConcept = CRLMCodes#biopsy-negative

Instance: example-disposition
InstanceOf: CRLMLesionDisposition
Usage: #example
Title: "Watch and wait because no longer seen"
* insert Of(2026-10-08)
* focus = Reference(BodyStructure/example-lesion)
* valueCodeableConcept = CRLMCodes#watch-and-wait
* component[0].code = CRLMCodes#disposition-reason
* component[0].valueCodeableConcept = CRLMCodes#reason-disappeared

Instance: example-membership
InstanceOf: CRLMPlanMembership
Usage: #example
Title: "Site not in the planned specimen"
* insert Of(2026-10-08)
* focus = Reference(BodyStructure/example-lesion)
* component[0].code = CRLMCodes#in-planned-specimen
* component[0].valueBoolean = false
* component[1].code = CRLMCodes#in-future-remnant
* component[1].valueBoolean = true

Instance: example-planned-operation
InstanceOf: CRLMPlannedOperation
Usage: #example
Title: "Hepatectomy with ultrasound, revoked"
* extension[target].valueReference = Reference(BodyStructure/example-lesion)
* extension[ended].valueDate = "2026-10-20"
* status = #revoked
* intent = #order
* code.coding[0] = $SCT#107963000
* code.coding[1] = $LNC#30706-6
* subject = Reference(Patient/example)
* occurrenceDateTime = "2026-11-16"
* authoredOn = "2026-10-08"

Instance: example-patient-fact
InstanceOf: CRLMPatientFact
Usage: #example
Title: "Future liver remnant"
* insert Of(2026-10-08)
* code = CRLMCodes#future-liver-remnant
* valueQuantity = 34 '%'
