import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.cqframework.cql.cql2elm.CqlTranslator;
import org.cqframework.cql.cql2elm.CqlTranslatorOptions;
import org.cqframework.cql.cql2elm.LibraryManager;
import org.cqframework.cql.cql2elm.ModelManager;

/** Translates CQL, the first file, to ELM, the second. */
public class Translate {
    public static void main(String[] files) throws Exception {
        var models = new ModelManager();
        var options = CqlTranslatorOptions.defaultOptions();
        options.getOptions().clear();
        var translator = CqlTranslator.fromFile(new File(files[0]), models, new LibraryManager(models), null, options);
        if (!translator.getExceptions().isEmpty()) {
            translator.getExceptions().forEach(fault -> System.err.println(fault.getMessage()));
            System.exit(1);
        }
        Files.writeString(Path.of(files[1]), translator.toJson());
    }
}
