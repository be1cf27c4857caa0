// Who is in the measure, and whose score improved? By fqm-execution, of FHIR bundles; a line of JSON a patient.
//   node judge.mjs ELM FILE-OF-BUNDLE-NAMES
import { readFileSync } from "node:fs";
import fqm from "fqm-execution";

const [elmFile, listFile] = process.argv.slice(2);
const URL = "urn:g9603:improved-survey-score";
const inSystem = (name, code) => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${name}`, code }] });
const population = (code, expression) => ({
    code: inSystem("measure-population", code),
    criteria: { language: "text/cql", expression },
});
const measure = {
    resourceType: "Measure",
    url: URL,
    status: "active",
    library: [`${URL}:library`],
    scoring: inSystem("measure-scoring", "proportion"),
    improvementNotation: inSystem("measure-improvement-notation", "increase"),
    group: [
        {
            population: [
                population("initial-population", "Initial Population"),
                population("denominator", "Denominator"),
                population("numerator", "Numerator"),
            ],
        },
    ],
};
const library = {
    resourceType: "Library",
    id: "ImprovedSurveyScore",
    url: `${URL}:library`,
    version: "1.0.0",
    status: "active",
    type: { coding: [{ code: "logic-library" }] },
    content: [{ contentType: "application/elm+json", data: readFileSync(elmFile).toString("base64") }],
};
const bundle = { resourceType: "Bundle", type: "collection", entry: [{ resource: measure }, { resource: library }] };
const options = {
    measurementPeriodStart: "2010-01-01",
    measurementPeriodEnd: "2026-12-31",
    calculateHTML: false,
    calculateSDEs: false,
    calculateClauseCoverage: false,
};
// One at a time: a life of ten years is megabytes.
for (const name of readFileSync(listFile, "utf8").split("\n").filter(Boolean)) {
    const { results } = await fqm.Calculator.calculate(bundle, [JSON.parse(readFileSync(name))], options);
    for (const { patientId, detailedResults } of results) {
        const found = detailedResults[0].populationResults.map((told) => [told.populationType, told.result]);
        console.log(JSON.stringify({ patient_id: patientId, ...Object.fromEntries(found) }));
    }
}
