#include "services/cloudtrail/operations.h"

#include <algorithm>
#include <vector>

namespace opentrail::services::cloudtrail {
namespace {

struct Row {
  std::string_view name;
  bool read_only;
  std::string_view resource_member;
  std::string_view input;  ///< As aws::JsonShape::parse() reads it.
  ApiResult<Answer> (*run)(Request& request);
};

// Inputs as AWS's own model has them (botocore, cloudtrail 2013-11-01).
constexpr Row kOffered[] = {
    {"AddTags", false, "ResourceId", "{ResourceId!:s,TagsList!:[{Key!:s,Value:s}]}", &add_tags},
    {"CreateTrail", false, "Name",
     "{Name!:s,S3BucketName!:s,S3KeyPrefix:s,SnsTopicName:s,"
     "IncludeGlobalServiceEvents:b,IsMultiRegionTrail:b,EnableLogFileValidation:b,"
     "CloudWatchLogsLogGroupArn:s,CloudWatchLogsRoleArn:s,KmsKeyId:s,"
     "IsOrganizationTrail:b,TagsList:[{Key!:s,Value:s}]}",
     &create_trail},
    {"DeleteTrail", false, "Name", "{Name!:s}", &delete_trail},
    {"DescribeTrails", true, "", "{trailNameList:[s],includeShadowTrails:b}", &describe_trails},
    {"GetEventSelectors", true, "TrailName", "{TrailName!:s}", &get_event_selectors},
    {"GetTrail", true, "Name", "{Name!:s}", &get_trail},
    {"GetTrailStatus", true, "Name", "{Name!:s}", &get_trail_status},
    {"ListPublicKeys", true, "", "{StartTime:t,EndTime:t,NextToken:s}", &list_public_keys},
    {"ListTags", true, "", "{ResourceIdList!:[s],NextToken:s}", &list_tags},
    {"ListTrails", true, "", "{NextToken:s}", &list_trails},
    {"LookupEvents", true, "",
     "{LookupAttributes:[{AttributeKey!:s,AttributeValue!:s}],StartTime:t,EndTime:t,"
     "EventCategory:s,MaxResults:i,NextToken:s}",
     &lookup_events},
    {"PutEventSelectors", false, "TrailName",
     "{TrailName!:s,EventSelectors:[{ReadWriteType:s,IncludeManagementEvents:b,"
     "DataResources:[{Type:s,Values:[s]}],ExcludeManagementEventSources:[s]}],"
     "AdvancedEventSelectors:[{Name:s,FieldSelectors!:[{Field!:s,Equals:[s],"
     "StartsWith:[s],EndsWith:[s],NotEquals:[s],NotStartsWith:[s],"
     "NotEndsWith:[s]}]}]}",
     &put_event_selectors},
    {"RemoveTags", false, "ResourceId", "{ResourceId!:s,TagsList!:[{Key!:s,Value:s}]}",
     &remove_tags},
    {"StartLogging", false, "Name", "{Name!:s}", &start_logging},
    {"StopLogging", false, "Name", "{Name!:s}", &stop_logging},
    {"UpdateTrail", false, "Name",
     "{Name!:s,S3BucketName:s,S3KeyPrefix:s,SnsTopicName:s,"
     "IncludeGlobalServiceEvents:b,IsMultiRegionTrail:b,EnableLogFileValidation:b,"
     "CloudWatchLogsLogGroupArn:s,CloudWatchLogsRoleArn:s,KmsKeyId:s,"
     "IsOrganizationTrail:b}",
     &update_trail},
};

constexpr Row kKnown[] = {
    {"CancelQuery", false, "", "{EventDataStore:s,QueryId!:s,EventDataStoreOwnerAccountId:s}",
     nullptr},
    {"CreateChannel", false, "",
     "{Name!:s,Source!:s,Destinations!:[{Type!:s,Location!:s}],Tags:[{Key!:s,"
     "Value:s}]}",
     nullptr},
    {"CreateDashboard", false, "",
     "{Name!:s,RefreshSchedule:{Frequency:{Unit:s,Value:i},Status:s,TimeOfDay:s},"
     "TagsList:[{Key!:s,Value:s}],TerminationProtectionEnabled:b,"
     "Widgets:[{QueryStatement!:s,QueryParameters:[s],ViewProperties!:m}]}",
     nullptr},
    {"CreateEventDataStore", false, "",
     "{Name!:s,AdvancedEventSelectors:[{Name:s,FieldSelectors!:[{Field!:s,"
     "Equals:[s],StartsWith:[s],EndsWith:[s],NotEquals:[s],NotStartsWith:[s],"
     "NotEndsWith:[s]}]}],MultiRegionEnabled:b,OrganizationEnabled:b,"
     "RetentionPeriod:i,TerminationProtectionEnabled:b,TagsList:[{Key!:s,Value:s}],"
     "KmsKeyId:s,StartIngestion:b,BillingMode:s}",
     nullptr},
    {"DeleteChannel", false, "", "{Channel!:s}", nullptr},
    {"DeleteDashboard", false, "", "{DashboardId!:s}", nullptr},
    {"DeleteEventDataStore", false, "", "{EventDataStore!:s}", nullptr},
    {"DeleteResourcePolicy", false, "", "{ResourceArn!:s}", nullptr},
    {"DeregisterOrganizationDelegatedAdmin", false, "", "{DelegatedAdminAccountId!:s}", nullptr},
    {"DescribeQuery", true, "",
     "{EventDataStore:s,QueryId:s,QueryAlias:s,RefreshId:s,"
     "EventDataStoreOwnerAccountId:s}",
     nullptr},
    {"DisableFederation", false, "", "{EventDataStore!:s}", nullptr},
    {"EnableFederation", false, "", "{EventDataStore!:s,FederationRoleArn!:s}", nullptr},
    {"GenerateQuery", false, "", "{EventDataStores!:[s],Prompt!:s}", nullptr},
    {"GetChannel", true, "", "{Channel!:s}", nullptr},
    {"GetDashboard", true, "", "{DashboardId!:s}", nullptr},
    {"GetEventConfiguration", true, "TrailName", "{TrailName:s,EventDataStore:s}", nullptr},
    {"GetEventDataStore", true, "", "{EventDataStore!:s}", nullptr},
    {"GetImport", true, "", "{ImportId!:s}", nullptr},
    {"GetInsightSelectors", true, "TrailName", "{TrailName:s,EventDataStore:s}", nullptr},
    {"GetQueryResults", true, "",
     "{EventDataStore:s,QueryId!:s,NextToken:s,MaxQueryResults:i,"
     "EventDataStoreOwnerAccountId:s}",
     nullptr},
    {"GetResourcePolicy", true, "", "{ResourceArn!:s}", nullptr},
    {"ListChannels", true, "", "{MaxResults:i,NextToken:s}", nullptr},
    {"ListDashboards", true, "", "{NamePrefix:s,Type:s,NextToken:s,MaxResults:i}", nullptr},
    {"ListEventDataStores", true, "", "{NextToken:s,MaxResults:i}", nullptr},
    {"ListImportFailures", true, "", "{ImportId!:s,MaxResults:i,NextToken:s}", nullptr},
    {"ListImports", true, "", "{MaxResults:i,Destination:s,ImportStatus:s,NextToken:s}", nullptr},
    {"ListInsightsData", true, "",
     "{InsightSource!:s,DataType!:s,Dimensions:m,StartTime:t,EndTime:t,MaxResults:i,"
     "NextToken:s}",
     nullptr},
    {"ListInsightsMetricData", true, "",
     "{TrailName:s,EventSource!:s,EventName!:s,InsightType!:s,ErrorCode:s,"
     "StartTime:t,EndTime:t,Period:i,DataType:s,MaxResults:i,NextToken:s}",
     nullptr},
    {"ListQueries", true, "",
     "{EventDataStore!:s,NextToken:s,MaxResults:i,StartTime:t,EndTime:t,"
     "QueryStatus:s}",
     nullptr},
    {"PutEventConfiguration", false, "TrailName",
     "{TrailName:s,EventDataStore:s,MaxEventSize:s,ContextKeySelectors:[{Type!:s,"
     "Equals!:[s]}],AggregationConfigurations:[{Templates!:[s],EventCategory!:s}]}",
     nullptr},
    {"PutInsightSelectors", false, "TrailName",
     "{TrailName:s,InsightSelectors!:[{InsightType:s,EventCategories:[s]}],"
     "EventDataStore:s,InsightsDestination:s}",
     nullptr},
    {"PutResourcePolicy", false, "", "{ResourceArn!:s,ResourcePolicy!:s}", nullptr},
    {"RegisterOrganizationDelegatedAdmin", false, "", "{MemberAccountId!:s}", nullptr},
    {"RestoreEventDataStore", false, "", "{EventDataStore!:s}", nullptr},
    {"SearchSampleQueries", true, "", "{SearchPhrase!:s,MaxResults:i,NextToken:s}", nullptr},
    {"StartDashboardRefresh", false, "", "{DashboardId!:s,QueryParameterValues:m}", nullptr},
    {"StartEventDataStoreIngestion", false, "", "{EventDataStore!:s}", nullptr},
    {"StartImport", false, "",
     "{Destinations:[s],ImportSource:{S3!:{S3LocationUri!:s,S3BucketRegion!:s,"
     "S3BucketAccessRoleArn!:s}},StartEventTime:t,EndEventTime:t,ImportId:s}",
     nullptr},
    {"StartQuery", false, "",
     "{QueryStatement:s,DeliveryS3Uri:s,QueryAlias:s,QueryParameters:[s],"
     "EventDataStoreOwnerAccountId:s}",
     nullptr},
    {"StopEventDataStoreIngestion", false, "", "{EventDataStore!:s}", nullptr},
    {"StopImport", false, "", "{ImportId!:s}", nullptr},
    {"UpdateChannel", false, "", "{Channel!:s,Destinations:[{Type!:s,Location!:s}],Name:s}",
     nullptr},
    {"UpdateDashboard", false, "",
     "{DashboardId!:s,Widgets:[{QueryStatement!:s,QueryParameters:[s],"
     "ViewProperties!:m}],RefreshSchedule:{Frequency:{Unit:s,Value:i},Status:s,"
     "TimeOfDay:s},TerminationProtectionEnabled:b}",
     nullptr},
    {"UpdateEventDataStore", false, "",
     "{EventDataStore!:s,Name:s,AdvancedEventSelectors:[{Name:s,"
     "FieldSelectors!:[{Field!:s,Equals:[s],StartsWith:[s],EndsWith:[s],"
     "NotEquals:[s],NotStartsWith:[s],NotEndsWith:[s]}]}],MultiRegionEnabled:b,"
     "OrganizationEnabled:b,RetentionPeriod:i,TerminationProtectionEnabled:b,"
     "KmsKeyId:s,BillingMode:s}",
     nullptr},
};

std::vector<CloudTrailOperation> make_table() {
  std::vector<CloudTrailOperation> table;
  for (const std::span<const Row> rows :
       {std::span<const Row>(kOffered), std::span<const Row>(kKnown)}) {
    for (const Row& row : rows) {
      table.push_back({row.name, row.read_only, row.resource_member,
                       aws::JsonShape::parse(row.input), row.run});
    }
  }
  return table;
}

}  // namespace

std::span<const CloudTrailOperation> cloudtrail_operations() {
  static const std::vector<CloudTrailOperation> table = make_table();
  return table;
}

const CloudTrailOperation* find_cloudtrail_operation(std::string_view name) {
  const auto table = cloudtrail_operations();
  const auto found = std::ranges::find(table, name, &CloudTrailOperation::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace opentrail::services::cloudtrail
