Profile: CRLMDose
Parent: MedicationAdministration
Id: crlm-dose
Title: "Dose of systemic therapy"
Description: "One administration of one agent, by ingredient. Regimens have no code of their own; a cycle is what was given within ten days."
* insert Published
* extension contains CRLMCycle named cycle 0..1 and CRLMIntent named intent 0..1
* status MS
* medication[x] MS
* subject 1..1 MS
* subject only Reference(Patient)
* effective[x] MS
* obeys crlm-drug-coded and crlm-dose-day

Profile: CRLMOperation
Parent: Procedure
Id: crlm-operation
Title: "Operation on the liver"
Description: "Resection or ablation with its target lesions. Only a completed one with the lesion as target says that the lesion was treated; without target it leaves open which were."
* insert Published
* extension contains $TARGET named target 0..* MS and CRLMIntent named intent 0..1
* status MS
* code 1..1 MS
* code from CRLMOperations (extensible)
* subject only Reference(Patient)
* performed[x] MS
* obeys crlm-operation-day and crlm-target-lesion

Profile: CRLMPathology
Parent: Observation
Id: crlm-pathology
Title: "Pathological response of one resected nodule"
Description: "Whether the specimen holds the lesion or its scar, tumour regression grade and viable cells of one nodule; the specimen's identifier is the lesion's."
* insert Fact
* code = CRLMCodes#pathologic-lesion-response
* value[x] 0..0
* focus only Reference(BodyStructure)
* specimen MS
* component 1..* MS
* component.code from CRLMPathologyItems (required)
* obeys crlm-component-value and crlm-trg and crlm-viable

Profile: CRLMBiopsy
Parent: Observation
Id: crlm-biopsy
Title: "Result of a biopsy of a lesion"
Description: "A negative result is neither a disappearance nor proof of a benign lesion; the nature of a lesion is stated by itself."
* insert LesionStatement
* code = CRLMCodes#lesion-biopsy
* value[x] 0..1
* value[x] only CodeableConcept
* value[x] from CRLMBiopsyResults (required)
* obeys crlm-value-or-reason
