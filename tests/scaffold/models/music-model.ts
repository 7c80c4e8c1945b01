import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A model as Xcode writes it. @param more - further entities */
export function musicModel(more = ""): string {
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<model type="com.apple.IDECoreDataModeler.DataModel" documentVersion="1.0" lastSavedToolsVersion="22757" systemVersion="23F79" minimumToolsVersion="Automatic" sourceLanguage="Swift" userDefinedModelVersionIdentifier="">
    <entity name="Artist" representedClassName="Artist" syncable="YES" codeGenerationType="class">
        <attribute name="name" attributeType="String" minValueString="1" maxValueString="40"/>
        <attribute name="year" optional="YES" attributeType="Integer 16" minValueString="1900" maxValueString="2100" usesScalarValueType="YES"/>
        <attribute name="rating" attributeType="Double" defaultValueString="0.5" usesScalarValueType="YES"/>
        <attribute name="active" attributeType="Boolean" defaultValueString="YES" usesScalarValueType="YES"/>
        <attribute name="since" optional="YES" attributeType="Date" minDateTimeInterval="0" defaultDateTimeInterval="86400" usesScalarValueType="NO"/>
        <attribute name="code" optional="YES" attributeType="String" regularExpressionString="[A-Z]{2}\\d+" defaultValueString="O'x"/>
        <attribute name="photo" optional="YES" attributeType="Binary" allowsExternalBinaryDataStorage="YES"/>
        <attribute name="shown" optional="YES" transient="YES" attributeType="String"/>
        <attribute name="count" optional="YES" attributeType="Integer 64" derived="YES" derivationExpression="songs.@count" usesScalarValueType="NO"/>
        <relationship name="songs" optional="YES" toMany="YES" deletionRule="Cascade" ordered="YES" destinationEntity="Song" inverseName="artist" inverseEntity="Song"/>
        <relationship name="label" optional="YES" maxCount="1" deletionRule="Nullify" destinationEntity="RecordLabel" inverseName="artists" inverseEntity="RecordLabel"/>
        <relationship name="contract" optional="YES" maxCount="1" deletionRule="Cascade" destinationEntity="Contract" inverseName="artist" inverseEntity="Contract"/>
        <relationship name="influences" optional="YES" toMany="YES" deletionRule="Nullify" destinationEntity="Artist" inverseName="influenced" inverseEntity="Artist"/>
        <relationship name="influenced" optional="YES" toMany="YES" deletionRule="Nullify" destinationEntity="Artist" inverseName="influences" inverseEntity="Artist"/>
        <uniquenessConstraints>
            <uniquenessConstraint>
                <constraint value="name"/>
            </uniquenessConstraint>
        </uniquenessConstraints>
        <fetchIndex name="byYear">
            <fetchIndexElement property="year" type="Binary" order="ascending"/>
        </fetchIndex>
    </entity>
    <entity name="Song" representedClassName="Song" syncable="YES" codeGenerationType="class">
        <attribute name="title" attributeType="String" defaultValueString=""/>
        <attribute name="price" optional="YES" attributeType="Decimal" defaultValueString="0.0"/>
        <relationship name="artist" maxCount="1" deletionRule="Nullify" destinationEntity="Artist" inverseName="songs" inverseEntity="Artist"/>
        <relationship name="genres" optional="YES" toMany="YES" deletionRule="Nullify" destinationEntity="Genre" inverseName="songs" inverseEntity="Genre"/>
    </entity>
    <entity name="Genre" representedClassName="Genre" syncable="YES" codeGenerationType="class">
        <attribute name="id" optional="YES" attributeType="UUID" usesScalarValueType="NO"/>
        <attribute name="name" optional="YES" attributeType="String"/>
        <relationship name="songs" optional="YES" toMany="YES" deletionRule="Deny" destinationEntity="Song" inverseName="genres" inverseEntity="Song"/>
    </entity>
    <entity name="RecordLabel" parentEntity="Company" representedClassName="RecordLabel" syncable="YES" codeGenerationType="class">
        <relationship name="artists" optional="YES" toMany="YES" deletionRule="Deny" destinationEntity="Artist" inverseName="label" inverseEntity="Artist"/>
    </entity>
    <entity name="Company" isAbstract="YES" representedClassName="Company" syncable="YES" codeGenerationType="class">
        <attribute name="town" optional="YES" attributeType="String"/>
    </entity>
    <entity name="Contract" representedClassName="Contract" syncable="YES" codeGenerationType="class">
        <attribute name="url" optional="YES" attributeType="URI"/>
        <relationship name="artist" maxCount="1" deletionRule="Nullify" destinationEntity="Artist" inverseName="contract" inverseEntity="Artist"/>
    </entity>
    ${more}
</model>`;
}

/** A property list that names the version that counts. */
function currentVersion(name: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>_XCCurrentVersionName</key>
	<string>${name}</string>
</dict>
</plist>
`;
}

/** Writes an `.xcdatamodeld` with versions, and gives its path. */
export function writeModel(folder: string, versions: Readonly<Record<string, string>>, current?: string): string {
  const path = join(folder, "Music.xcdatamodeld");
  for (const [name, contents] of Object.entries(versions)) {
    mkdirSync(join(path, name), { recursive: true });
    writeFileSync(join(path, name, "contents"), contents);
  }
  if (current !== undefined) writeFileSync(join(path, ".xccurrentversion"), currentVersion(current));
  return path;
}
