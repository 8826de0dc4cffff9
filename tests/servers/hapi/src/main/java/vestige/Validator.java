package vestige;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * HAPI's instance validator, offline, with the profiles of one folder.
 *
 * Validator FOLDER reads one R4 resource a line and prints one JSON array of errors a line; a resource is checked
 * against the profiles it names in meta.profile. Warnings are not printed.
 */
public class Validator {

    public static void main(String[] arguments) throws Exception {
        var fhir = FhirContext.forR4();
        var validator = fhir.newValidator();
        var instances = new FhirInstanceValidator(chain(fhir, Path.of(arguments[0])));
        instances.setErrorForUnknownProfiles(true);
        validator.registerValidatorModule(instances);
        var json = new ObjectMapper();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            var errors = validator.validateWithResult(line).getMessages().stream()
                .filter(message -> message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0)
                .map(message -> message.getMessage() + " @" + message.getLocationString())
                .toList();
            System.out.println(json.writeValueAsString(errors));
        }
    }

    private static ValidationSupportChain chain(FhirContext fhir, Path folder) throws Exception {
        var ours = new PrePopulatedValidationSupport(fhir);
        var definitions = "{CodeSystem,StructureDefinition,ValueSet}-*.json";
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, definitions)) {
            for (Path file : files) {
                ours.addResource(fhir.newJsonParser().parseResource(Files.readString(file)));
            }
        }
        // LOINC and SNOMED CT are not here: that a code of theirs cannot be looked up is no error of the resource.
        var unknown = new UnknownCodeSystemWarningValidationSupport(fhir);
        unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
        return new ValidationSupportChain(
            ours, new DefaultProfileValidationSupport(fhir), new CommonCodeSystemsTerminologyService(fhir),
            new InMemoryTerminologyServerValidationSupport(fhir), new SnapshotGeneratingValidationSupport(fhir),
            unknown);
    }
}
