package vestige;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.util.ResourceCountCache;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.h2.jdbcx.JdbcConnectionPool;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.transaction.annotation.EnableTransactionManagement;

/**
 * A FHIR R4 server on loopback with its data in memory.
 *
 * Server PORT (0 takes a free one) prints the base address once it answers and ends when its standard input does,
 * so that it never outlives the test run that started it.
 */
@Configuration
@EnableTransactionManagement
@Import({
    JpaR4Config.class, JpaBatch2Config.class, Batch2JobsConfig.class,
    SubscriptionChannelConfig.class, ThreadPoolFactoryConfig.class})
public class Server {

    /** What the service reads or a Bundle of it may hold, and what HAPI itself needs; each costs start-up time. */
    private static final Set<String> TYPES = Set.of(
        "AllergyIntolerance", "Appointment", "Basic", "BodyStructure", "CarePlan", "CodeSystem", "Condition",
        "Device", "DiagnosticReport", "Encounter", "ImagingStudy", "List", "Location", "Media", "Medication",
        "MedicationAdministration", "MedicationRequest", "MedicationStatement", "Observation", "Organization",
        "Patient", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "SearchParameter", "ServiceRequest",
        "Specimen", "StructureDefinition", "ValueSet");

    public static void main(String[] arguments) throws Exception {
        var beans = new AnnotationConfigApplicationContext();
        beans.register(Server.class);
        beans.addBeanFactoryPostProcessor(Server::unusedTypesWait);
        beans.refresh();
        var handler = new ServletContextHandler("/");
        handler.addServlet(new ServletHolder(fhir(beans)), "/fhir/*");
        var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
        var web = new org.eclipse.jetty.server.Server(address);
        web.setHandler(handler);
        web.start();
        System.out.println("http://127.0.0.1:" + web.getURI().getPort() + "/fhir");
        System.in.transferTo(OutputStream.nullOutputStream());
        System.exit(0);
    }

    private static void unusedTypesWait(ConfigurableListableBeanFactory factory) {
        for (String name : factory.getBeanDefinitionNames()) {
            if (name.matches("(dao|rp).*R4")) {
                factory.getBeanDefinition(name).setLazyInit(true);
            }
        }
    }

    private static RestfulServer fhir(AnnotationConfigApplicationContext beans) {
        var system = beans.getBean(IFhirSystemDao.class);
        var server = new RestfulServer(beans.getBean(FhirContext.class));
        beans.getAutowireCapableBeanFactory().autowireBean(server);
        server.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        server.registerProvider(beans.getBean(IJpaSystemProvider.class));
        server.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
            server, system, beans.getBean(JpaStorageSettings.class),
            beans.getBean(ISearchParamRegistry.class), beans.getBean(IValidationSupport.class)));
        return server;
    }

    @Bean
    public JpaStorageSettings storageSettings() {
        var settings = new JpaStorageSettings();
        settings.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
        settings.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
        settings.setAllowExternalReferences(true);
        settings.setEnforceReferentialIntegrityOnWrite(false);
        settings.setEnforceReferentialIntegrityOnDelete(false);
        settings.setAllowMultipleDelete(true);
        settings.setSchedulingDisabled(true);
        settings.setHibernateSearchIndexFullText(false);
        return settings;
    }

    @Bean
    public PartitionSettings partitionSettings() {
        return new PartitionSettings();
    }

    @Bean
    public SubscriptionSettings subscriptionSettings() {
        return new SubscriptionSettings();
    }

    @Bean
    public IResourceSupportedSvc resourceSupported() {
        return TYPES::contains;
    }

    @Bean(name = "myResourceCountsCache")
    public ResourceCountCache resourceCounts() {
        return new ResourceCountCache(Map::of);
    }

    @Bean
    public DatabaseBackedPagingProvider pagingProvider() {
        var paging = new DatabaseBackedPagingProvider();
        paging.setDefaultPageSize(20);
        paging.setMaximumPageSize(200);
        return paging;
    }

    @Bean
    public DataSource dataSource() {
        return JdbcConnectionPool.create("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1", "sa", "");
    }

    @Bean
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
            ConfigurableListableBeanFactory beans, DataSource data, FhirContext fhir, JpaStorageSettings settings) {
        var factory = HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
        var properties = new Properties();
        properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
        properties.put("hibernate.hbm2ddl.auto", "create");
        properties.put("hibernate.search.enabled", "false");
        factory.setPersistenceUnitName("HAPI_PU");
        factory.setDataSource(data);
        factory.setJpaProperties(properties);
        return factory;
    }

    @Bean
    public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
        return new JpaTransactionManager(factory);
    }
}
