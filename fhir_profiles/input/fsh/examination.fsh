Profile: CRLMStudy
Parent: ImagingStudy
Id: crlm-study
Title: "Imaging study of the liver"
Description: "Modality, start and region. Slice thickness, contrast agent and b values are not part of an ImagingStudy; the reader states them with the adequacy."
* insert Published
* status MS
* subject 1..1 MS
* subject only Reference(Patient)
* started MS
* modality MS
* procedureCode MS
* series.bodySite MS
* obeys crlm-study-started and crlm-study-modality

Profile: CRLMExamAdequacy
Parent: Observation
Id: crlm-exam-adequacy
Title: "Fitness of one examination to rule out a liver metastasis"
Description: "Adequate, limited or non-diagnostic, with the protocol. Needed before 'looked for and not seen' can count for more than a hint. Whatever is not said is unknown and never taken as good."
* insert ImagingFact
* code = CRLMCodes#exam-adequacy
* focus 0..0
* value[x] 1..1
* value[x] only CodeableConcept
* value[x] from CRLMAdequacies (required)
* component.code from CRLMProtocolItems (required)
* obeys crlm-adequacy-value and crlm-component-value and crlm-slice and crlm-b-value and crlm-partial-coverage and crlm-artefact-place
