Profile: CRLMCEA
Parent: Observation
Id: crlm-cea
Title: "Carcinoembryonic antigen"
Description: "Mass, arbitrary and molar concentrations are three families and never one series. The upper limit is the laboratory's own; there is no default."
* insert Fact
* insert Categorised(laboratory)
* code from CRLMCEACodes (required)
* value[x] only Quantity
* referenceRange MS
* obeys crlm-value-or-reason and crlm-cea-unit and crlm-cea-number and crlm-cea-limit
