Profile: CRLMLesion
Parent: BodyStructure
Id: crlm-lesion
Title: "Tracked liver metastasis"
Description: "One metastasis for its whole life: never a new resource for a new examination, never deleted when no longer seen. `active` false does not mean that it has vanished. Has the shape of an mCODE tumour."
* insert Published
* extension contains CRLMLesionNature named nature 0..1 MS and CRLMLesionReference named mergedInto 0..1 and CRLMSplitFrom named splitFrom 0..1
* identifier 1..* MS
* identifier ^slicing.discriminator.type = #pattern
* identifier ^slicing.discriminator.path = "type"
* identifier ^slicing.rules = #open
* identifier contains trackingUid 0..1 MS and trackingId 0..1 MS and label 0..1 MS
* identifier[trackingUid].type = $DCM#112040
* identifier[trackingUid].system 1..1
* identifier[trackingUid].system = "urn:dicom:uid"
* identifier[trackingUid].value 1..1
* identifier[trackingId].type = $DCM#112039
* identifier[trackingId].value 1..1
* identifier[label].type = http://hl7.org/fhir/resource-types#BodyStructure
* identifier[label].value 1..1
* morphology MS
* location 1..1 MS
* location from CRLMLiverSites (extensible)
* patient 1..1 MS
* obeys crlm-identified and crlm-uid and crlm-liver-site

Profile: CRLMLesionAttribute
Parent: Observation
Id: crlm-lesion-attribute
Title: "Lasting property of a lesion"
Description: "Depth below the capsule, marker, the resection that removing the site would add, characterisation at baseline, role in the response assessment, merger with another lesion. All optional; what is not said is unknown."
* insert LesionStatement
* code = CRLMCodes#lesion-attribute
* value[x] 0..0
* component.code from CRLMAttributes (required)
* obeys crlm-attribute-said and crlm-depth and crlm-component-value
