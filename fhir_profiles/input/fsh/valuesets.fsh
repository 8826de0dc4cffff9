// Every set of codes that an element may take.

ValueSet: CRLMLiverSites
Id: crlm-liver-sites
Title: "Liver and its segments"
Description: "The liver and its Couinaud segments; IVa and IVb are local."
* insert Published
* $SCT#10200004 "Liver"
* $SCT#71133005 "Couinaud hepatic segment I"
* $SCT#277956007 "Couinaud hepatic segment II"
* $SCT#277957003 "Couinaud hepatic segment III"
* $SCT#277958008 "Couinaud hepatic segment IV"
* CRLMCodes#segment-IVa "Couinaud hepatic segment IVa"
* CRLMCodes#segment-IVb "Couinaud hepatic segment IVb"
* $SCT#277959000 "Couinaud hepatic segment V"
* $SCT#277960005 "Couinaud hepatic segment VI"
* $SCT#277961009 "Couinaud hepatic segment VII"
* $SCT#277962002 "Couinaud hepatic segment VIII"

ValueSet: CRLMVisibilities
Id: crlm-visibilities
Title: "Visibility"
Description: "Seen, looked for and not seen, indeterminate."
* insert Published
* $SCT#52101004 "Present"
* $SCT#260373001 "Detected"
* $SCT#260415000 "Not detected"
* $SCT#82334004 "Indeterminate"

ValueSet: CRLMAdequacies
Id: crlm-adequacies
Title: "Adequacy"
Description: "Fitness of an examination."
* insert Published
* CRLMCodes#adequate "Adequate"
* CRLMCodes#limited "Limited"
* CRLMCodes#non-diagnostic "Non-diagnostic"

ValueSet: CRLMProtocolItems
Id: crlm-protocol-items
Title: "Protocol"
Description: "What the reader states of an examination."
* insert Published
* CRLMCodes#contrast-agent "Contrast agent"
* CRLMCodes#hepatobiliary-phase "Hepatobiliary phase acquired"
* CRLMCodes#hepatobiliary-phase-delayed "Delayed hepatobiliary phase acquired"
* CRLMCodes#hepatobiliary-phase-quality "Quality of the hepatobiliary phase"
* CRLMCodes#diffusion-weighted-imaging "Diffusion-weighted imaging acquired"
* CRLMCodes#maximum-b-value "Highest b value"
* CRLMCodes#slice-thickness "Slice thickness"
* CRLMCodes#coverage "Coverage of the liver"
* CRLMCodes#covered-segment "Segment covered"
* CRLMCodes#excluded-segment "Segment not covered"
* CRLMCodes#artefact "Artefact"
* CRLMCodes#artefact-segment "Segment with artefact"
* CRLMCodes#hbp-reticulation "Reticular hypointensity in the hepatobiliary phase"
* CRLMCodes#reticulation-segment "Segment with reticular hypointensity"
* CRLMCodes#lesion-map "Lesion map available during the examination"

ValueSet: CRLMMeasures
Id: crlm-measures
Title: "Measures"
Description: "Numbers of a lesion other than its size."
* insert Published
* $DCM#113041 "Apparent Diffusion Coefficient"
* $DCM#113290 "Mono-exponential Apparent Diffusion Coefficient"
* $DCM#112031 "Attenuation Coefficient"
* $DCM#126401 "SUVbw"
* $DCM#126402 "SUVlbm"

ValueSet: CRLMDescriptions
Id: crlm-descriptions
Title: "Descriptions"
Description: "Described features of a lesion in one study."
* insert Published
* $DCM#111037 "Margins"
* $DCM#112030 "Calcification Descriptor"
* $SCT#6574001 "Necrosis"
* CRLMCodes#remnant-type "Appearance of what remains of a lesion"
* CRLMCodes#conspicuity-change "Change of conspicuity against the previous study"
* CRLMCodes#rim-enhancement "Enhancing rim or interface"
* CRLMCodes#rim-width "Width of the enhancing rim"
* CRLMCodes#mda-morphology-group "CT morphology group 1 to 3"
* CRLMCodes#hbp-signal "Signal in the hepatobiliary phase"
* CRLMCodes#pet-avid "Uptake on positron emission tomography"
* CRLMCodes#enhancement-pattern "Enhancement pattern"
* CRLMCodes#interface-halo "Halo at the tumour and liver interface"
* CRLMCodes#new-lesion-assessment "Whether a lesion is new"
* CRLMCodes#lesion-nature "Nature of a lesion"
* CRLMCodes#too-small-to-measure "Too small to measure"

ValueSet: CRLMAttributes
Id: crlm-attributes
Title: "Lasting properties"
Description: "Properties of a lesion that do not belong to one study."
* insert Published
* CRLMCodes#depth-below-capsule "Depth below the liver capsule"
* CRLMCodes#marker-present "Marker at the site"
* CRLMCodes#marker-migrated "Marker has migrated"
* CRLMCodes#extra-resection "Resection that removing the site would add"
* CRLMCodes#characterisation "How the lesion was characterised at baseline"
* CRLMCodes#target-role "Role in a response assessment"
* CRLMCodes#lesion-nature "Nature of a lesion"

ValueSet: CRLMNatures
Id: crlm-natures
Title: "Nature of a lesion"
Description: "Metastasis, benign or indeterminate."
* insert Published
* CRLMCodes#metastasis "Metastasis"
* CRLMCodes#benign "Benign"
* CRLMCodes#indeterminate "Indeterminate"

ValueSet: CRLMCEACodes
Id: crlm-cea-codes
Title: "Carcinoembryonic antigen"
Description: "Three families of concentration."
* insert Published
* $LNC#2039-6 "Carcinoembryonic Ag [Mass/volume] in Serum or Plasma"
* $LNC#83085-1 "Carcinoembryonic Ag [Mass/volume] by Immunoassay"
* $LNC#19166-8 "Carcinoembryonic Ag [Units/volume] in Serum or Plasma"
* $LNC#19167-6 "Carcinoembryonic Ag [Moles/volume] in Serum or Plasma"

ValueSet: CRLMOperations
Id: crlm-operations
Title: "Operations on the liver"
Description: "Resections and ablations."
* insert Published
* $SCT#107963000 "Liver excision"
* $SCT#72106008 "Excision of lesion of liver"
* $SCT#174430004 "Resection of segment of liver"
* $SCT#71273005 "Hepatectomy, partial"
* CRLMCodes#hepatectomy "Liver resection"
* CRLMCodes#liver-ablation "Ablation of a lesion of the liver"
* CRLMCodes#liver-ablation-operative "Open or laparoscopic ablation in the liver"
* CRLMCodes#liver-ablation-percutaneous "Percutaneous ablation in the liver"
* CRLMCodes#liver-local-treatment "Other local treatment of a lesion of the liver"

ValueSet: CRLMDispositions
Id: crlm-dispositions
Title: "Disposition"
Description: "What is to happen with a lesion."
* insert Published
* CRLMCodes#resect "Resect"
* CRLMCodes#ablate "Ablate"
* CRLMCodes#watch-and-wait "Watch and wait"
* CRLMCodes#left-in-situ "Left in place by decision"
* CRLMCodes#undecided "Undecided"

ValueSet: CRLMDispositionItems
Id: crlm-disposition-items
Title: "Parts of a disposition"
Description: "Level and reason."
* insert Published
* CRLMCodes#disposition-level "Lesion or patient"
* CRLMCodes#disposition-reason "Reason"

ValueSet: CRLMMembershipItems
Id: crlm-membership-items
Title: "Parts of a plan membership"
Description: "Specimen and remnant."
* insert Published
* CRLMCodes#in-planned-specimen "Site lies in the planned specimen"
* CRLMCodes#in-future-remnant "Site lies in the future liver remnant"

ValueSet: CRLMPathologyItems
Id: crlm-pathology-items
Title: "Parts of a pathological response"
Description: "Whether the lesion was found, grade and viable cells."
* insert Published
* CRLMCodes#lesion-in-specimen "Lesion or its scar found in the resection specimen"
* CRLMCodes#tumour-regression-grade "Tumour regression grade 1 to 5"
* CRLMCodes#viable-tumour-percent "Viable tumour cells"

ValueSet: CRLMBiopsyResults
Id: crlm-biopsy-results
Title: "Result of a biopsy"
Description: "Tumour, no tumour, or not representative."
* insert Published
* CRLMCodes#biopsy-positive "Tumour in the biopsy"
* CRLMCodes#biopsy-negative "No tumour in the biopsy"
* CRLMCodes#biopsy-inconclusive "Biopsy not representative"

ValueSet: CRLMIntents
Id: crlm-intents
Title: "Intent"
Description: "Curative, conversion or palliative."
* insert Published
* $SCT#373808002 "Curative - procedure intent"
* $SCT#363676003 "Palliative - procedure intent"
* $SCT#373847000 "Neo-adjuvant - intent"
* CRLMCodes#curative "Curative"
* CRLMCodes#conversion "Conversion to resectable"
* CRLMCodes#palliative "Palliative"

ValueSet: CRLMPatientFacts
Id: crlm-patient-facts
Title: "Facts on the patient"
Description: "Topics of dated statements on the patient."
* insert Published
* $LNC#89247-1 "ECOG Performance Status score"
* CRLMCodes#future-liver-remnant "Future liver remnant"
* CRLMCodes#child-pugh "Child-Pugh class"
* CRLMCodes#declines-surgery "Patient declines local treatment"
* CRLMCodes#extrahepatic-status "Course of disease outside the liver"
* CRLMCodes#mucinous-histology "Mucinous histology"
* CRLMCodes#mri-contraindication "Reason against MRI or its contrast agent"
* CRLMCodes#steatosis-grade "Grade of hepatic steatosis"
* CRLMCodes#hepatic-artery-infusion "Hepatic artery infusion"
* CRLMCodes#transplant-pathway "Assessed for liver transplantation"
* CRLMCodes#clinically-stable "Clinically stable"
* CRLMCodes#treatment-intent "Intent of treatment"
* CRLMCodes#liver-background-normal "Liver beside the metastases without injury"
* CRLMCodes#primary-node-positive "Lymph node metastases of the primary tumour"
* CRLMCodes#kras-mutated "KRAS mutation of the tumour"
* $LNC#21900-6 "Regional lymph nodes.pathology [Class] Cancer"
* $SCT#371494008 "pN category"
* $LNC#81695-9 "Microsatellite instability"
