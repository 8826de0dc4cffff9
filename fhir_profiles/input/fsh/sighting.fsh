Profile: CRLMLesionSize
Parent: Observation
Id: crlm-lesion-size
Title: "Size of a lesion in one study"
Description: "Longest diameter and, if wanted, others, in the shape of an mCODE tumour size. A lesion that is not seen has no size, not a size of 0 mm. A size alone says that the lesion is visible."
* insert LesionFact
* code = $LNC#21889-1
* value[x] 0..0
* component ^slicing.discriminator.type = #pattern
* component ^slicing.discriminator.path = "code"
* component ^slicing.rules = #open
* component contains longest 1..1 MS and other 0..2 and tooSmall 0..1
* component[longest].code = $LNC#33728-7
* component[longest].value[x] only Quantity
* component[other].code = $LNC#33729-5
* component[other].value[x] only Quantity
* component[tooSmall].code = CRLMCodes#too-small-to-measure
* component[tooSmall].value[x] only boolean
* obeys crlm-length

Profile: CRLMLesionVisibility
Parent: Observation
Id: crlm-lesion-visibility
Title: "Visibility of a lesion in one study"
Description: "Four values: seen (present), looked for and not seen (not detected), indeterminate, and not assessed (no value, reason not-performed). A report that does not mention a lesion has no Observation at all: that is silence, never absence. Components describe what remains."
* insert LesionFact
* code = CRLMCodes#lesion-visibility
* value[x] only CodeableConcept
* value[x] from CRLMVisibilities (extensible)
* dataAbsentReason MS
* component.code from CRLMDescriptions (extensible)
* obeys crlm-value-or-reason and crlm-visibility-value and crlm-not-assessed and crlm-component-value and crlm-rim-width and crlm-morphology-group

Profile: CRLMIntraoperativeVisibility
Parent: CRLMLesionVisibility
Id: crlm-intraoperative-visibility
Title: "Visibility of a lesion on intraoperative ultrasound"
Description: "One result for each site that was looked for, without or with contrast. An operation whose record does not name the site says nothing of it."
* insert Published
* obeys crlm-intraoperative-method

Profile: CRLMLesionMeasure
Parent: Observation
Id: crlm-lesion-measure
Title: "Diffusion, uptake or attenuation of a lesion"
Description: "One number in one unit: apparent diffusion coefficient, SUVbw, SUVlbm or Hounsfield units. None of them decides whether a lesion is there."
* insert LesionFact
* code from CRLMMeasures (required)
* value[x] only Quantity
* obeys crlm-value-or-reason and crlm-measure-unit

Profile: CRLMLesionFeature
Parent: Observation
Id: crlm-lesion-feature
Title: "Described features of a lesion in one study"
Description: "Margin, rim, enhancement, signal in the hepatobiliary phase, calcification, necrosis, halo, change of conspicuity, CT morphology group, and what kind of remnant is seen; one component each."
* insert LesionFact
* code = CRLMCodes#lesion-feature
* value[x] 0..0
* component 1..* MS
* component.code from CRLMDescriptions (extensible)
* obeys crlm-component-value and crlm-rim-width and crlm-morphology-group

Profile: CRLMNewLesion
Parent: Observation
Id: crlm-new-lesion
Title: "Reader's statement on whether a lesion is new"
Description: "New, not new or indeterminate. Only a coded statement on a lesion with an identity of its own makes a lesion definitely new."
* insert LesionFact
* code = CRLMCodes#new-lesion-assessment
* value[x] only CodeableConcept
* obeys crlm-value-or-reason and crlm-new-value

Profile: CRLMLesionTimepoint
Parent: Observation
Id: crlm-lesion-timepoint
Title: "Everything said of one lesion in one study"
Description: "A group, like a measurement group of a structured report. Optional; no reader may need it."
* insert LesionFact
* code = CRLMCodes#lesion-timepoint
* value[x] 0..0
* hasMember 1..* MS
* obeys crlm-member
