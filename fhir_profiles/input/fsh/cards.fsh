// What clients store of our cards: the reasons for an override, and the topics by which they remember one.

CodeSystem: OverrideReason
Id: override-reason
Title: "Reasons for not following a card of Vestige"
Description: "What a clinician may give as the reason for overriding a card; sent back as CDS Hooks feedback."
* insert Published
* ^caseSensitive = true
* ^content = #complete
* #recorded-elsewhere "Recorded elsewhere"
* #patient-declines "The patient declines"
* #not-fit "The patient is not fit for it"
* #mdt-decision "Decided by the MDT"
* #wrong-data "The data are wrong"

CodeSystem: CardTopic
Id: card-topic
Title: "Topics of the cards of Vestige"
Description: "The topic in a card's source: letters and digits of the card's family and of the rule that leads it. Codes are not listed one by one: they follow from the rules of the pack in force."
* insert Published
* ^caseSensitive = true
* ^content = #not-present
