Extension: CRLMCycle
Id: crlm-cycle
Title: "Number of the cycle"
Description: "The cycle of systemic therapy that a dose belongs to, where the prescriber counts it."
* insert Published
* ^context.type = #element
* ^context.expression = "MedicationAdministration"
* value[x] only positiveInt
* value[x] 1..1

Extension: CRLMIntent
Id: crlm-intent
Title: "Intent of treatment"
Description: "Curative, conversion to resectable, or palliative."
* insert Published
* ^context[0].type = #element
* ^context[0].expression = "MedicationAdministration"
* ^context[1].type = #element
* ^context[1].expression = "MedicationRequest"
* ^context[2].type = #element
* ^context[2].expression = "Procedure"
* value[x] only CodeableConcept
* value[x] 1..1
* value[x] from CRLMIntents (extensible)

Extension: CRLMEnded
Id: crlm-ended
Title: "Day an order was revoked or an appointment cancelled"
Description: "R4 has no place for it; without it only the last change of the resource is known."
* insert Published
* ^context[0].type = #element
* ^context[0].expression = "ServiceRequest"
* ^context[1].type = #element
* ^context[1].expression = "Appointment"
* ^context[2].type = #element
* ^context[2].expression = "CarePlan"
* value[x] only date
* value[x] 1..1

Extension: CRLMLesionReference
Id: crlm-lesion-reference
Title: "Lesion that a plan, an appointment or a lesion refers to"
Description: "On a plan or appointment: the lesion it is about. On a lesion: the lesion it has merged into."
* insert Published
* ^context[0].type = #element
* ^context[0].expression = "CarePlan"
* ^context[1].type = #element
* ^context[1].expression = "CarePlan.activity.detail"
* ^context[2].type = #element
* ^context[2].expression = "Appointment"
* ^context[3].type = #element
* ^context[3].expression = "BodyStructure"
* value[x] only Reference(BodyStructure)
* value[x] 1..1

Extension: CRLMSplitFrom
Id: crlm-lesion-split-from
Title: "Lesion that this one split off"
Description: "The lesion that this one was a part of. A part is no new lesion, and the size of a part is not that of the whole."
* insert Published
* ^context.type = #element
* ^context.expression = "BodyStructure"
* value[x] only Reference(BodyStructure)
* value[x] 1..1

Extension: CRLMLesionNature
Id: crlm-lesion-nature
Title: "Nature of a lesion"
Description: "Metastasis, benign or indeterminate. A tracked lesion without it counts as a metastasis."
* insert Published
* ^context.type = #element
* ^context.expression = "BodyStructure"
* value[x] only CodeableConcept
* value[x] 1..1
* value[x] from CRLMNatures (required)
