Profile: CRLMPatientFact
Parent: Observation
Id: crlm-patient-fact
Title: "Fact on the patient"
Description: "Performance status, Child-Pugh class, future liver remnant, intent, disease outside the liver, histology, microsatellite status, steatosis, reasons against MRI, infusion pump, transplant pathway, refusal."
* insert Fact
* code from CRLMPatientFacts (required)
* focus 0..0
* obeys crlm-value-or-reason and crlm-fact-percent and crlm-fact-ecog
