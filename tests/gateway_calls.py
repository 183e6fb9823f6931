"""Valid calls of many services, made from botocore's models: what the required members need, and no
more. Deterministic: the same models give the same calls."""
import dataclasses
import datetime
import importlib
import inspect
import re
from typing import Any

import botocore.loaders
import botocore.model
import botocore.session
from botocore import xform_name

ACCOUNT = "123456789012"
SECRET = "hush-Hush-4711"  # stands in every member that is sensitive; no record may hold it
WHEN = datetime.datetime(2026, 11, 24, 8, 46, 13, tzinfo=datetime.UTC)
OPERATIONS_PER_SERVICE = 12
DEPTH_MAX = 6

# Ours (cloudtrail), without models of their own, or needing containers and networks to answer.
SKIPPED_SERVICES = {"cloudtrail", "moto_api", "moto_proxy", "instance_metadata", "s3bucket_path",
                    "awslambda_simple", "batch_simple", "managedblockchain"}
SKIPPED_OPERATIONS = {"Invoke", "InvokeAsync", "InvokeWithResponseStream", "SubmitJob", "RunTask",
                      "SubscribeToShard", "StartTask", "GetBucketAccelerateConfiguration"}
FIRST = ("Create", "Put", "Register", "Tag", "Add", "List", "Describe", "Get", "Update", "Delete")
SERVICES = (
    "acm", "acm-pca", "amp", "apigateway", "apigatewayv2", "appconfig", "application-autoscaling",
    "appmesh", "appsync", "athena", "autoscaling", "backup", "batch", "budgets", "ce", "cloudformation",
    "cloudfront", "cloudwatch", "codebuild", "codecommit", "codepipeline", "cognito-identity",
    "cognito-idp", "comprehend", "config", "databrew", "datasync", "dax", "directconnect", "dms", "ds",
    "dynamodb", "ec2", "ecr", "ecs", "efs", "eks", "elasticache", "elasticbeanstalk", "elb", "elbv2",
    "emr", "emr-containers", "events", "firehose", "fsx", "glacier", "glue", "greengrass", "guardduty",
    "iam", "identitystore", "inspector2", "iot", "ivs", "kafka", "kinesis", "kinesisvideo", "kms",
    "lakeformation", "lambda", "lexv2-models", "logs", "mediaconnect", "medialive", "mediapackage",
    "mediastore", "memorydb", "mq", "neptune", "networkmanager", "opensearch", "organizations",
    "osis", "personalize", "pinpoint", "pipes", "polly", "quicksight", "ram", "rds", "redshift",
    "rekognition", "resource-groups", "resourcegroupstaggingapi", "route53", "route53resolver", "s3",
    "sagemaker", "scheduler", "secretsmanager", "securityhub", "servicecatalog", "servicediscovery",
    "ses", "sesv2", "shield", "signer", "sns", "sqs", "ssm", "sso-admin", "stepfunctions", "sts",
    "support", "swf", "synthetics", "timestream-write", "transcribe", "transfer", "wafv2", "workspaces",
    "xray",
)


@dataclasses.dataclass
class Call:
    service: str
    operation: str
    parameters: dict[str, Any]
    model: botocore.model.OperationModel

    @property
    def method(self) -> str:
        return xform_name(self.operation)


def _is_sensitive(member: str, shape: botocore.model.Shape) -> bool:
    return bool(shape.metadata.get("sensitive")) or bool(
        re.search(r"(Password|SecretString|ClientSecret|PrivateKey|AuthToken)$", member))


def _text(service: str, member: str, shape: botocore.model.Shape) -> str:
    low, high = shape.metadata.get("min", 1), shape.metadata.get("max", 1 << 20)
    if shape.enum:
        return shape.enum[0]
    if _is_sensitive(member, shape):
        text = SECRET
    elif member.lower().endswith("arn") or "arn:" in shape.metadata.get("pattern", ""):
        text = f"arn:aws:{service}:us-east-1:{ACCOUNT}:thing/one"
    elif member.endswith(("AccountId", "Owner")):
        text = ACCOUNT
    elif "Cidr" in member:
        text = "10.0.0.0/16"
    elif member.endswith(("Document", "Policy", "TemplateBody")):
        text = '{"Version":"2012-10-17","Statement":[]}'
    else:
        text = re.sub(r"[^a-z0-9]", "", member.lower())[:20] + "1"
    return (text + "x" * max(0, low - len(text)))[:high]


def _value(service: str, member: str, shape: botocore.model.Shape, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        names = shape.required_members
        if getattr(shape, "is_tagged_union", False):
            names = [next(iter(shape.members))]
        if depth > DEPTH_MAX:
            names = []
        elif depth and not names:  # forms cannot show an empty structure
            names = [name for name, inner in shape.members.items()
                     if inner.type_name in ("string", "integer", "boolean")][:1]
        return {name: _value(service, name, shape.members[name], depth + 1) for name in names}
    if kind == "list":
        item = _value(service, member, shape.member, depth + 1)
        return [item] * max(1, shape.metadata.get("min", 1))
    if kind == "map":
        return {_text(service, "key", shape.key): _value(service, member, shape.value, depth + 1)}
    if kind == "boolean":
        return True
    if kind in ("integer", "long"):
        return int(max(1, shape.metadata.get("min", 1)))
    if kind in ("float", "double"):
        return float(max(1, shape.metadata.get("min", 1)))
    if kind == "timestamp":
        return WHEN
    if kind == "blob":
        return SECRET.encode() if _is_sensitive(member, shape) else b"content"
    return _text(service, member, shape)


def _implemented(service: str) -> set[str]:
    """Method names that moto answers for the service."""
    folder = {"lambda": "awslambda"}.get(service, service.replace("-", ""))
    try:
        module = importlib.import_module(f"moto.{folder}.responses")
    except ImportError:
        return set()
    return {name for _, found in inspect.getmembers(module, inspect.isclass) for name in dir(found)}


def _order(name: str) -> tuple[int, str]:
    verb = next((index for index, verb in enumerate(FIRST) if name.startswith(verb)), len(FIRST))
    return verb, name


def _spread(names: list[str]) -> list[str]:
    """A few of each verb instead of all of the first."""
    by_verb: dict[int, list[str]] = {}
    for name in sorted(names, key=_order):
        by_verb.setdefault(_order(name)[0], []).append(name)
    chosen: list[str] = []
    while len(chosen) < OPERATIONS_PER_SERVICE and any(by_verb.values()):
        for rest in by_verb.values():
            if rest and len(chosen) < OPERATIONS_PER_SERVICE:
                chosen.append(rest.pop(0))
    return sorted(chosen, key=_order)


def generate() -> list[Call]:
    session = botocore.session.get_session()
    calls = []
    for service in SERVICES:
        model = session.get_service_model(service)
        implemented = _implemented(service)
        names = [name for name in model.operation_names
                 if name not in SKIPPED_OPERATIONS and (not implemented or xform_name(name) in implemented)
                 and not model.operation_model(name).has_event_stream_output
                 and not model.operation_model(name).has_event_stream_input]
        for name in _spread(names):
            operation = model.operation_model(name)
            shape = operation.input_shape
            parameters = _value(service, name, shape, 0) if shape else {}
            calls.append(Call(service, name, parameters, operation))
    return calls
