// German, begun: what is left out is shown in English.
export const de = {
  "title": "Läsionsverlauf",
  "matrix.title": "Läsionen und Untersuchungen",
  "map.title": "Leberkarte",
  "plots.title": "Verlauf",
  "cards.title": "Hinweise und ihre Gründe",
  "reading.title": "Befund erfassen",
  "seen": "gesehen",
  "sought-not-seen": "gesucht, nicht gesehen",
  "indeterminate": "unklar",
  "not-assessed": "nicht beurteilt",
  "not-mentioned": "nicht erwähnt",
  "not-read": "nicht gelesen",
  "contradicted": "Widerspruch",
  "failure.title": "Nicht beurteilt",
};
