//! Functions, conditions, parameters and order, on templates as people write them.

use super::*;
use crate::cloud::services::cloudformation::template::check;

fn goal(template: &str, given: &[(&str, &str)]) -> Result<Goal, ApiError> {
    let read = Template::read(template)?;
    check::check(&read)?;
    let given: Vec<Value> = given.iter().map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value})).collect();
    let parameters = parameters::resolve(&read, &given, None)?;
    Ok(Goal { template: template.to_owned(), parameters, ..Goal::default() })
}

fn plan(template: &str, given: &[(&str, &str)]) -> Result<Plan, ApiError> {
    let place = Place { account: "123456789012".into(), region: "eu-central-1".into() };
    let me = Identity { id: "arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1".into(), name: "s".into() };
    Plan::of(&goal(template, given)?, &me, &place)
}

fn refused(template: &str, given: &[(&str, &str)]) -> String {
    let outcome = plan(template, given).and_then(|plan| plan.order().map(|_| plan)).and_then(|plan| plan.outputs(&|_, _| None));
    outcome.unwrap_err().message
}

/// What a value is worth as a parameter's value, with the resource `Other` known.
fn worth(value: &str, given: &[(&str, &str)]) -> Result<Value, ApiError> {
    let template = format!(
        r#"{{"Parameters": {{"Name": {{"Type": "String", "Default": "n"}}, "List": {{"Type": "CommaDelimitedList", "Default": "a, b,c"}},
        "Yes": {{"Type": "String", "Default": "Yes"}}}},
        "Mappings": {{"Map": {{"eu-central-1": {{"x": "mapped", "l": ["1", "2"]}}}}}},
        "Conditions": {{"On": {{"Fn::Equals": [{{"Ref": "Yes"}}, "Yes"]}}, "Off": {{"Fn::Not": [{{"Condition": "On"}}]}}}},
        "Resources": {{"Other": {{"Type": "AWS::SSM::Parameter", "Properties": {{"Type": "String", "Value": "v"}}}},
        "P": {{"Type": "AWS::SSM::Parameter", "Properties": {{"Type": "String", "Value": {value}}}}}}}}}"#
    );
    let plan = plan(&template, given)?;
    plan.order()?;
    let known =
        |_: &str, attribute: Option<&str>| Some(json!(attribute.map_or("other".to_owned(), |name| format!("other.{name}"))));
    let properties = plan.properties(&plan.resource("P").unwrap(), &known)?;
    Ok(properties.get("Value").cloned().unwrap_or_default())
}

#[test]
fn each_function_has_its_value() {
    for (value, expected) in [
        (r#"{"Ref": "Name"}"#, json!("n")),
        (r#"{"Ref": "Other"}"#, json!("other")),
        (r#"{"Ref": "AWS::StackName"}"#, json!("s")),
        (r#"{"Fn::Join": [":", [{"Ref": "AWS::Partition"}, {"Ref": "AWS::URLSuffix"}, 1]]}"#, json!("aws:amazonaws.com:1")),
        (r#"{"Ref": "AWS::NoValue"}"#, Value::Null),
        (r#"{"Fn::GetAtt": ["Other", "Value"]}"#, json!("other.Value")),
        (
            r#"{"Fn::Sub": "${Name}/${Other}/${Other.Type}/${AWS::Region}/${!Name}/$x/${"}"#,
            json!("n/other/other.Type/eu-central-1/${Name}/$x/${"),
        ),
        (r#"{"Fn::Sub": ["${a}${Name}", {"a": {"Fn::Join": ["-", {"Ref": "List"}]}}]}"#, json!("a-b-cn")),
        (r#"{"Fn::Join": ["", ["x", {"Ref": "Name"}]]}"#, json!("xn")),
        (r#"{"Fn::Select": [1, {"Ref": "List"}]}"#, json!("b")),
        (r#"{"Fn::Select": ["0", {"Fn::Split": ["|", "p|q"]}]}"#, json!("p")),
        (r#"{"Fn::Split": [",", "a,,b"]}"#, json!(["a", "", "b"])),
        (r#"{"Fn::If": ["On", "then", {"Ref": "AWS::NoValue"}]}"#, json!("then")),
        (r#"{"Fn::If": ["Off", "then", {"Ref": "AWS::NoValue"}]}"#, Value::Null),
        (r#"{"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "x"]}"#, json!("mapped")),
        (r#"{"Fn::Select": [1, {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "l"]}]}"#, json!("2")),
        (r#"{"Fn::Base64": {"Fn::Sub": "${Name}!"}}"#, json!("biE=")),
        (
            r#"["a", {"Ref": "AWS::NoValue"}, {"b": {"Ref": "AWS::NoValue"}, "Condition": {"c": 1}}]"#,
            json!(["a", {"Condition": {"c": 1}}]),
        ),
    ] {
        assert_eq!(worth(value, &[]).unwrap(), expected, "{value}");
    }
    assert_eq!(worth(r#"{"Fn::If": ["On", 1, 2]}"#, &[("Yes", "No")]).unwrap(), json!(2));
}

#[test]
fn each_function_that_is_wrong_is_refused_by_name() {
    for (value, part) in [
        (r#"{"Fn::Nope": "x"}"#, "Encountered unsupported function: Fn::Nope Supported functions are: [Fn::Base64, Fn::GetAtt,"),
        (r#"{"Fn::ImportValue": "x"}"#, "the lab does not serve `Fn::ImportValue`"),
        (r#"{"Fn::Transform": {"Name": "x"}}"#, "the lab does not serve `Fn::Transform`"),
        (
            r#"{"Ref": "Nobody"}"#,
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (r#"{"Fn::Sub": "${Nobody}"}"#, "Unresolved resource dependencies [Nobody]"),
        (r#"{"Fn::Sub": "${Nobody.Arn}"}"#, "instance of Fn::GetAtt references undefined resource Nobody"),
        (
            r#"{"Fn::GetAtt": ["Other", "Arm"]}"#,
            "Template error: resource Other does not support attribute type Arm in Fn::GetAtt",
        ),
        (r#"{"Fn::GetAtt": "Other"}"#, "every Fn::GetAtt object requires two non-empty parameters"),
        (r#"{"Fn::If": ["Nope", 1, 2]}"#, "Unresolved condition dependency Nope in the Resources block of the template"),
        (r#"{"Fn::If": ["On", 1]}"#, "Fn::If requires a list argument with three elements"),
        (r#"{"Fn::Join": ["", "x"]}"#, "every Fn::Join object requires two parameters"),
        (r#"{"Fn::Select": [5, {"Ref": "List"}]}"#, "Fn::Select cannot select nonexistent value at index 5"),
        (
            r#"{"Fn::FindInMap": ["Nope", "a", "b"]}"#,
            "Mapping named 'Nope' is not present in the 'Mappings' section of template.",
        ),
        (r#"{"Fn::FindInMap": ["Map", "a", "b"]}"#, "Unable to get mapping for Map::a::b"),
        (r#"{"Fn::Sub": "${List}"}"#, "variable List in Fn::Sub expression does not resolve to a string"),
        (r#"{"Fn::Sub": ["x"]}"#, "One or more Fn::Sub intrinsic functions don't specify expected arguments"),
        (r#"{"Fn::Base64": []}"#, "every Fn::Base64 object must have a String-typed value."),
        (r#"{"Fn::Equals": ["a", "a"]}"#, "`Fn::Equals` cannot stand here"),
        (r#"{"Ref": "P"}"#, "Circular dependency between resources: [P]"),
    ] {
        let message = worth(value, &[]).unwrap_err().message;
        assert!(message.contains(part), "{value}: {message}");
    }
}

const PARAMETERS: &str = "
Parameters:
  Word: {Type: String, Default: abc, AllowedPattern: '[a-z]+', MinLength: 2, MaxLength: 4}
  Number: {Type: Number, Default: 5, MinValue: 1, MaxValue: 9}
  One: {Type: String, Default: Yes, AllowedValues: [Yes, No]}
  Said: {Type: String, Default: x, AllowedPattern: x, ConstraintDescription: only x}
  List: {Type: CommaDelimitedList, Default: 'a,b', AllowedPattern: '[ab]'}
  Long: {Type: String, Default: a-b, AllowedPattern: '^[\\w.:/+@-]{1,256}$|^\\d\\S{1,255}$'}
  Must: {Type: String}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Must}}}
";

#[test]
fn parameters_are_held_to_their_declarations() {
    let given = goal(PARAMETERS, &[("Must", "m"), ("Number", "7")]).unwrap().parameters;
    assert_eq!((given["Word"].as_str(), given["Number"].as_str(), given["One"].as_str()), ("abc", "7", "true"));
    for (name, value, message) in [
        ("Word", "A", "Parameter 'Word' must contain at least 2 characters"),
        ("Word", "abcde", "Parameter 'Word' must contain at most 4 characters"),
        ("Word", "ab1", "Parameter 'Word' must match pattern [a-z]+"),
        ("Number", "x", "Parameter 'Number' must be a number"),
        ("Number", "0", "Parameter 'Number' must be a number not less than 1"),
        ("Number", "10", "Parameter 'Number' must be a number not greater than 9"),
        ("One", "Maybe", "Parameter 'One' must be one of AllowedValues"),
        ("Said", "y", "Parameter 'Said' failed to satisfy constraint: only x"),
        ("List", "a,c", "Parameter 'List' must match pattern [ab]"),
        ("Long", "é", "Parameter 'Long' must match pattern ^[\\w.:/+@-]{1,256}$|^\\d\\S{1,255}$"),
        ("Nobody", "x", "Parameters: [Nobody] do not exist in the template"),
    ] {
        assert_eq!(refused(PARAMETERS, &[("Must", "m"), (name, value)]), message);
    }
    assert_eq!(refused(PARAMETERS, &[]), "Parameters: [Must] must have values");
}

#[test]
fn what_a_template_may_not_hold_is_refused() {
    let ok = "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: v}}}";
    for (text, message) in [
        ("{\"Resources\": }", "Template format error: JSON not well-formed. (line 1, column 15)"),
        ("- a", "Template format error: unsupported structure."),
        ("Description: x", "Template format error: At least one Resources member must be defined."),
        ("Resource: {}", "Invalid template property or properties [Resource]"),
        ("Resources: {P: {Type: 'AWS::No::Such'}}", "Template format error: Unrecognized resource types: [AWS::No::Such]"),
        (
            "Resources: {P: {Properties: {}}}",
            "Template format error: [/Resources/P] Every Resources object must contain a Type member.",
        ),
        ("Resources: {P: {Type: 'AWS::SSM::Parameter', Depends: x}}", "Invalid template resource property 'Depends'"),
        (
            "Resources: {P: {Type: 'AWS::SSM::Parameter', DependsOn: {Ref: x}}}",
            "Template format error: DependsOn must be a string or list of strings.",
        ),
        (
            "Resources: {P: {Type: 'AWS::SSM::Parameter', DependsOn: Q}}",
            "Template format error: Unresolved resource dependencies [Q] in the Resources block of the template",
        ),
        (
            "Resources: {P: {Type: 'AWS::SSM::Parameter', Condition: C}}",
            "Template format error: Unresolved condition dependency C in the Resources block of the template",
        ),
        (
            "Resources: {P: {Type: 'AWS::SSM::Parameter', Properties: {Value: }}}",
            "[/Resources/P/Properties/Value] 'null' values are not allowed in templates",
        ),
        ("Resources: {P-1: {Type: 'AWS::SSM::Parameter'}}", "Template format error: Resource name P-1 is non alphanumeric."),
        (
            "Resources: {P: {Type: 'AWS::SSM::Parameter', DeletionPolicy: Snapshot}}",
            "Template error: resource type AWS::SSM::Parameter does not support DeletionPolicy Snapshot",
        ),
    ] {
        assert_eq!(refused(text, &[]), message, "{text}");
    }
    for (more, message) in [
        (
            "Outputs: {O: {Value: !Ref Q}}",
            "Template format error: Unresolved resource dependencies [Q] in the Outputs block of the template",
        ),
        ("Outputs: {O: {Description: x}}", "Template format error: Every Outputs member must contain a Value object"),
        ("Parameters: {X: {Type: Strong}}", "Template format error: Unrecognized parameter type: Strong"),
        ("Parameters: {X: {Type: String, Defaults: x}}", "Invalid template parameter property 'Defaults'"),
        (
            "Conditions: {C: !Equals [!Ref P, x]}",
            "Template format error: Unresolved dependencies [P]. Cannot reference resources in the Conditions block of the template",
        ),
        (
            "Conditions: {C: !Not [!Condition D]}",
            "Template format error: Unresolved condition dependency D in the Conditions block of the template",
        ),
        (
            "Conditions: {C: !Sub x}",
            "Template format error: Conditions can only be boolean operations on parameters and other conditions",
        ),
        (
            "AWSTemplateFormatVersion: 2011-01-01",
            "Template format error: \"2011-01-01\" is not a supported value for AWSTemplateFormatVersion.",
        ),
    ] {
        assert_eq!(refused(&format!("{ok}\n{more}"), &[]), message, "{more}");
    }
}

const ORDERED: &str = "
Parameters: {Two: {Type: String, Default: 'No'}}
Conditions: {Two: !Equals [!Ref Two, 'Yes']}
Resources:
  A: {Type: AWS::SSM::Parameter, DependsOn: [C], Properties: {Type: String, Value: !If [Two, !Ref B, x]}}
  B: {Type: AWS::SSM::Parameter, Condition: Two, Properties: {Type: String, Value: v}}
  C: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: v}}
Outputs: {O: {Value: !GetAtt B.Value, Condition: Two}, P: {Value: !Ref A, Export: {Name: !Sub '${AWS::StackName}-p'}}}
";

#[test]
fn what_a_condition_leaves_out_is_neither_made_nor_put_out() {
    let order = |given: &[(&str, &str)]| plan(ORDERED, given).unwrap().order().unwrap();
    let pair = |name: &str, needs: &[&str]| (name.to_owned(), needs.iter().map(|need| (*need).to_owned()).collect::<Vec<_>>());
    assert_eq!(order(&[]), [pair("C", &[]), pair("A", &["C"])]);
    assert_eq!(order(&[("Two", "Yes")]), [pair("B", &[]), pair("C", &[]), pair("A", &["B", "C"])]);
    let outputs = plan(ORDERED, &[]).unwrap().outputs(&|name, _| Some(json!(name.to_lowercase()))).unwrap();
    assert_eq!(outputs, [json!({"OutputKey": "P", "OutputValue": "a", "ExportName": "s-p"})]);
    let unconditional = ORDERED.replace("!If [Two, !Ref B, x]", "!Ref B");
    assert_eq!(
        refused(&unconditional, &[]),
        "Template format error: Unresolved resource dependencies [B] in the Resources block of the template"
    );
}
