Profile: CRLMLesionDisposition
Parent: Observation
Id: crlm-lesion-disposition
Title: "What is to happen with a lesion"
Description: "Resect, ablate, watch and wait (an intention before the decision), left in place (decided at operation or by the board) or undecided, with its reason. Without a lesion it holds for every untreated lesion of the patient."
* insert Fact
* code = CRLMCodes#lesion-disposition
* focus 0..1 MS
* focus only Reference(BodyStructure)
* value[x] 1..1
* value[x] only CodeableConcept
* value[x] from CRLMDispositions (required)
* component.code from CRLMDispositionItems (required)
* obeys crlm-disposition-value and crlm-disposition-level and crlm-component-value

Profile: CRLMPlanMembership
Parent: Observation
Id: crlm-lesion-plan-membership
Title: "Whether the plan covers the site of a lesion"
Description: "Whether the site lies in the planned specimen, and whether it lies in the future liver remnant. A later statement replaces an earlier one; both are kept."
* insert LesionStatement
* code = CRLMCodes#lesion-plan-membership
* basedOn MS
* component 1..* MS
* component.code from CRLMMembershipItems (required)
* obeys crlm-membership

Profile: CRLMPlannedOperation
Parent: ServiceRequest
Id: crlm-planned-operation
Title: "Planned operation on the liver"
Description: "An order or a draft, with its target lesions and, in orderDetail or as a further code, intraoperative ultrasound where it is planned. Biopsy and embolisation are not operations on a lesion."
* insert Published
* extension contains $TARGET named target 0..* MS and CRLMEnded named ended 0..1 MS
* status MS
* intent MS
* code 1..1 MS
* subject only Reference(Patient)
* occurrence[x] MS
* authoredOn MS
* obeys crlm-order-coded and crlm-target-lesion and crlm-order-ended
